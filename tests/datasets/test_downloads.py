"""Downloads go on after a break, are never half, and do not write outside their folder."""

import hashlib
import io
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fmfp_lib.datasets import CATALOGUE
from fmfp_lib.datasets.downloads import Archive, _StayOnTLS, fetch

CONTENT = bytes(range(256)) * 400


@pytest.fixture
def server():
    """A server on this machine: ``limits`` says how many bytes it sends to each request before it hangs up."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.ranges.append(self.headers.get("Range"))
            if server.status:
                return self.send_error(server.status)
            start = int(self.headers["Range"][6:-1]) if server.knows_ranges else 0
            self.send_response(206 if server.knows_ranges else 200)
            if server.knows_ranges:
                self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
            self.send_header("Content-Length", str(len(CONTENT) - start))
            self.send_header("Content-Type", server.kind)
            self.end_headers()
            limit = server.limits.pop(0) if server.limits else len(CONTENT)
            self.wfile.write(CONTENT[start : start + limit])

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.ranges, server.limits, server.knows_ranges, server.status = [], [], True, None
    server.kind = "application/zip"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def archive(server, **values):
    url = f"http://127.0.0.1:{server.server_address[1]}/a.zip"
    return Archive(
        **(
            {"url": url, "file": "a.zip", "md5": hashlib.md5(CONTENT).hexdigest(), "bytes": len(CONTENT), "folder": "a"}
            | values
        )
    )


def test_download_that_breaks_off_half_way_goes_on_from_there(server, tmp_path):
    server.limits = [60_000]
    path = fetch(archive(server), tmp_path, progress=False, pause=0)
    assert path.read_bytes() == CONTENT
    assert server.ranges == ["bytes=0-", "bytes=60000-"]
    fetch(archive(server), tmp_path, progress=False)  # it is there and whole: nothing is asked
    assert len(server.ranges) == 2


def test_download_that_breaks_off_for_good_leaves_no_file_and_a_later_one_goes_on(server, tmp_path):
    server.limits = [60_000] + [0] * 4
    with pytest.raises(ValueError, match="broke off at 60,000 of 102,400 bytes .*the same command goes on") as error:
        fetch(archive(server), tmp_path, progress=False, pause=0)
    assert "\n" not in str(error.value) and not (tmp_path / "a.zip").exists()
    assert fetch(archive(server), tmp_path, progress=False).read_bytes() == CONTENT
    assert server.ranges[-1] == "bytes=60000-"


def test_a_login_page_is_named_and_what_came_before_is_kept(server, tmp_path):
    server.limits = [60_000, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="broke off"):
        fetch(archive(server), tmp_path, progress=False, pause=0)
    server.kind, server.limits = "text/html; charset=utf-8", []
    with pytest.raises(ValueError, match="answered with a web page instead of a.zip"):
        fetch(archive(server), tmp_path, progress=False, pause=0)
    assert (tmp_path / "a.zip.part").stat().st_size == 60_000
    server.kind = "application/zip"
    assert fetch(archive(server), tmp_path, progress=False, pause=0).read_bytes() == CONTENT


def test_server_without_ranges_is_read_from_the_start(server, tmp_path):
    server.knows_ranges, server.limits = False, [60_000]
    assert fetch(archive(server), tmp_path, progress=False, pause=0).read_bytes() == CONTENT


@pytest.mark.parametrize("values", [{"md5": "0" * 32}, {"bytes": 1000}])  # another file; more than was announced
def test_wrong_content_is_refused_and_deleted(server, tmp_path, values):
    with pytest.raises(ValueError, match="the official file has .* get it again"):
        fetch(archive(server, **values), tmp_path, progress=False)
    assert not list(tmp_path.glob("a.zip*"))


def test_wrong_file_that_someone_put_there_is_kept_and_named(server, tmp_path):
    (tmp_path / "a.zip").write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match="a.zip has 102,399 bytes .* delete"):
        fetch(archive(server), tmp_path, progress=False)
    assert (tmp_path / "a.zip").exists() and not server.ranges


def test_missing_page_is_asked_for_once(server, tmp_path):
    server.status = 404
    with pytest.raises(ValueError, match="HTTP Error 404"):
        fetch(archive(server), tmp_path, progress=False)
    assert len(server.ranges) == 1


def test_the_catalogue_asks_only_by_tls_and_pins_every_checksum():
    archives = [source.archive for source in CATALOGUE.values() if source.archive]
    assert len(archives) == 4
    for one in archives:
        assert one.url.startswith("https://") and len(bytes.fromhex(one.md5)) == 16 and one.bytes > 1e8
    request = urllib.request.Request(archives[0].url)
    with pytest.raises(urllib.error.HTTPError, match="away from https"):
        _StayOnTLS().redirect_request(request, io.BytesIO(), 302, "Found", {}, "http://example.org/x")
    assert _StayOnTLS().redirect_request(request, None, 302, "Found", {}, "https://example.org/x").host == "example.org"
