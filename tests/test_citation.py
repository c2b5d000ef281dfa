"""How to cite and where to launch come from CITATION.cff alone."""

import re
import subprocess
import sys
from pathlib import Path

import citation
import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())


def test_entries_hold_what_the_file_says():
    cited = citation.load()
    paper, companion = citation.paper(cited), citation.companion(cited)
    assert "Zhu, Fei and Cheng, Zhen and Zhang, Xu-Yao and Liu, Cheng-Lin" in paper
    assert cited["references"][0]["title"] in paper and "@inproceedings{zhu2022rethinking," in paper
    assert f"{{{cited['version']}}}" in companion and "{2026}" in companion
    assert "{{The authors of the FMFP companion}}" in companion
    assert all(text.count("{") == text.count("}") for text in (paper, companion))


def test_version_is_the_packages():
    import tomllib

    assert citation.load()["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_without_an_address_there_are_no_buttons():
    assert citation.with_repository(CONFIG, {}) == CONFIG
    assert "launch_buttons" not in CONFIG and "repository" not in CONFIG


@pytest.mark.parametrize("url", ["https://github.com/owner/name", "https://github.com/owner/name.git"])
def test_an_address_brings_binder_and_colab(url):
    config = citation.with_repository(CONFIG, {"repository-code": url})
    assert config["repository"] == {"url": "https://github.com/owner/name", "path_to_book": "", "branch": "main"}
    assert set(config["launch_buttons"]) == {"notebook_interface", "binderhub_url", "colab_url"}
    assert config["html"]["use_repository_button"] and config["title"] == CONFIG["title"]
    assert not CONFIG["html"]["use_repository_button"]  # the original stays as it was


def test_colab_is_left_out_where_it_cannot_open_the_repository():
    config = citation.with_repository(CONFIG, {"repository-code": "https://gitlab.com/owner/name"})
    assert "colab_url" not in config["launch_buttons"] and "binderhub_url" in config["launch_buttons"]


@pytest.mark.parametrize("url", ["github.com/owner/name", "https://github.com/owner", "https://github.com/a/b/tree/x"])
def test_a_wrong_address_is_said(url):
    with pytest.raises(ValueError, match="must look like"):
        citation.with_repository(CONFIG, {"repository-code": url})


@pytest.mark.parametrize("url", ["https://github.com/owner/name", ""])
def test_a_built_page_has_the_buttons_only_if_the_address_is_known(tmp_path, url):
    page = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# Page")],
        metadata={"kernelspec": {"name": "python3", "display_name": ""}},
    )
    (tmp_path / "notebooks").mkdir()
    nbformat.write(page, tmp_path / "notebooks" / "00.ipynb")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: notebooks/00\n")
    config = {"title": "Book", "execute": {"execute_notebooks": "off"}, "only_build_toc_files": True}
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(citation.with_repository(config, {"repository-code": url})))
    code = "from jupyter_book.cli.main import main; main()"
    subprocess.run([sys.executable, "-c", code, "build", str(tmp_path), "-W", "-n"], check=True, capture_output=True)
    text = (tmp_path / "_build" / "html" / "notebooks" / "00.html").read_text()
    links = set(re.findall(r'href="(https://(?:mybinder|colab)[^"]*)"', text))
    assert links == (
        {
            "https://mybinder.org/v2/gh/owner/name/main?urlpath=lab/tree/notebooks/00.ipynb",
            "https://colab.research.google.com/github/owner/name/blob/main/notebooks/00.ipynb",
        }
        if url
        else set()
    )
