"""What a notebook studies: data, networks, methods and seeds at one scale, checked before anything is trained."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from ..errors import one_line
from ..settings import Settings
from . import lookup, rungs
from .lookup import Group
from .parameters import check_parameters

# What the book shows at each scale, where a notebook's parameters leave it open.
SHOWN = {
    "smoke": dict(dataset="embedded", networks=["preact_resnet8_w8_s2"], seeds=[0]),
    "classroom": dict(dataset="embedded", networks=["preact_resnet8_w16_s2"], seeds=[3, 4, 5, 6, 7]),
    "workstation": dict(dataset="cifar10", networks=["resnet9_w32"], seeds=[0, 1, 2]),
    "paper": dict(dataset="cifar10", networks=["preact_resnet110"], seeds=[0, 1, 2]),
}


class Study(BaseModel):
    """The parameters of a notebook.

    Attributes
    ----------
    scale : {'smoke', 'classroom', 'workstation', 'paper'}
    dataset : str
        A data set's name or path; empty for the one that the book shows at this scale.
    networks : list of str
        Names; empty means those that the book shows at this scale.
    methods : list of str
        Names.
    seeds : list of int
        Empty for those that the book shows at this scale.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: Literal["smoke", "classroom", "workstation", "paper"] = "smoke"
    dataset: str = ""
    networks: list[str] = []
    methods: list[str] = ["baseline"]
    seeds: list[int] = []

    @field_validator("methods")
    @classmethod
    def _some(cls, methods):
        if not methods:
            raise ValueError("it is empty; name at least one method")
        return list(dict.fromkeys(methods))

    def __init__(self, **values):
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ValueError(one_line(error, type(self).model_fields)) from None

    @classmethod
    def from_notebook(cls, names: dict, **more) -> "Study":
        """Read and check the parameters among a notebook's ``globals()``; at smoke scale, say what that means.

        Parameters
        ----------
        names : dict
            ``globals()`` right after the parameters cell.
        **more
            The notebook's further parameters, each with a value of the accepted type.

        Returns
        -------
        Study
            With every parameter filled in.

        Raises
        ------
        ValueError
            In one line, for unknown names (of parameters, data sets, networks, methods) and wrong types.
        """
        check_parameters(names, **{field: info.default for field, info in cls.model_fields.items()}, **more)
        study = cls(**{field: names[field] for field in cls.model_fields if field in names})
        values = study.model_dump()
        study = cls(**values | {key: value for key, value in SHOWN[study.scale].items() if not values[key]})
        for network in study.networks:  # every name is looked up now, not after an hour of training
            for method in study.methods:
                for seed in study.seeds:
                    study.settings(network, method, seed)
        if study.scale == "smoke":
            print("Smoke scale: this run only shows that everything works. Its numbers mean nothing.")
        return study

    def settings(self, network: str, method: str, seed: int) -> Settings:
        """Return the settings of one of the runs.

        Parameters
        ----------
        network, method : str
            Names.
        seed : int

        Returns
        -------
        Settings
            As given, before they are completed.
        """
        return Settings(dataset=self.dataset, network=network, method=method, scale=self.scale, seed=seed)

    def runs(self, network: str, methods=None, **options) -> Group:
        """Return the runs of one network, training what no record has; `options` go to ``training.train``.

        Parameters
        ----------
        network : str
            Name.
        methods : sequence of str, optional
            Those of the study by default.
        **options
            As in `training.train`.

        Returns
        -------
        lookup.Group
        """
        from ..training import train

        methods = self.methods if methods is None else methods
        runs = {m: [train(self.settings(network, m, s), **options) for s in self.seeds] for m in methods}
        return Group(self.scale, self.dataset, network, runs)

    def groups(self, methods=None) -> list[Group]:
        """Return the runs of every network; at classroom scale also what is finished on further rungs."""
        methods = self.methods if methods is None else methods
        groups = [self.runs(network, methods) for network in self.networks]
        return groups + (on_other_rungs(methods) if self.scale == "classroom" else [])


def finished(scale: str, methods, networks=None) -> list[Group]:
    """Return the finished runs of `methods` at `scale`, on the book's networks if none are given, training nothing.

    A method counts once every seed that the book shows is there (`lookup.whole`).

    Parameters
    ----------
    scale : str
        Key of `SHOWN`.
    methods : sequence of str
        Names.
    networks : sequence of str, optional
        Names.

    Returns
    -------
    list of lookup.Group
        One for each network that has any.
    """
    dataset, seeds, groups = SHOWN[scale]["dataset"], SHOWN[scale]["seeds"], []
    for network in networks or SHOWN[scale]["networks"]:
        runs = lookup.whole(lookup.plan(methods, seeds, scale=scale, dataset=dataset, network=network))
        if runs:
            groups.append(Group(scale, dataset, network, runs))
    return groups


def on_other_rungs(methods, among=rungs.RUNGS[1:]) -> list[Group]:
    """Return the finished runs of `methods` on the ladder's further rungs: another family, and all of CIFAR-10.

    A method counts once all its seeds are there, and a rung if any method but the baseline does.

    Parameters
    ----------
    methods : sequence of str
        Names.
    among : sequence of rungs.Rung

    Returns
    -------
    list of lookup.Group
    """
    found = []
    for rung in among:
        whole = {m: own for m, own in rung.runs().items() if m in methods and len(own) == len(rung.seeds_of(m))}
        runs = {m: list(own.values()) for m, own in whole.items()}
        if set(runs) - {"baseline"} or runs and set(methods) == {"baseline"}:
            regime = rung.regime
            found.append(Group(regime["scale"], regime["dataset"], regime["network"], runs).only(methods))
    return found


def shown(methods) -> list[Group]:
    """Return the finished runs of `methods` that the book shows: at classroom scale and on the ladder's other rungs."""
    return finished("classroom", methods) + on_other_rungs(methods)
