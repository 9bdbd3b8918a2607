"""The catalogue: what the quick look at the files finds is what they hold, and every name loads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from archcalc import SpecError, UsageError, load, names
from archcalc.spec.catalogue import SPECS, entries, is_file_name, key_of
from tests.cli.runner import DATA

#: The names that the command line promises.
PROMISED = [
    "lenet5", "lenet5@1998", "alexnet", "alexnet@grouped", "alexnet@torchvision", "zfnet", "nin", "nin@cifar10",
    "vgg11", "vgg13", "vgg16", "vgg16@c", "vgg16@bn", "vgg19", "googlenet", "googlenet@aux", "googlenet@torchvision",
    "inception_v2", "inception_v2@slim", "inception_v3", "inception_v3@aux", "inception_v3@keras", "inception_v4",
    "inception_resnet_v1", "inception_resnet_v2", "inception_resnet_v2@keras",
    "resnet18", "resnet34", "resnet50", "resnet50@v1", "resnet50@keras", "resnet101",
    "resnet152", "plain18", "plain34", "resnet20_cifar", "resnet32_cifar", "resnet44_cifar", "resnet56_cifar",
    "resnet110_cifar", "xception", "mobilenet", "nasnet_mobile", "nasnet_large", "unet", "deconvnet",
]  # fmt: skip


@pytest.mark.slow
def test_the_quick_look_finds_what_the_files_hold() -> None:
    wanted = {}
    for path in SPECS.rglob("*.yaml"):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        # A family stands for its default member under its own name too.
        for name in {document["name"], *document.get("networks", ())}:
            wanted[name] = path
    assert {entry.name: entry.file for entry in entries().values()} == wanted


def test_no_name_hides_another() -> None:
    keys = Counter(map(key_of, names()))
    assert [key for key, count in keys.items() if count > 1] == []
    assert set(entries()) >= {key for key in keys if "@" not in key}


@pytest.mark.slow
def test_every_name_loads_as_itself() -> None:
    found = list(names())
    assert len(found) > 40
    for name in found:
        assert load(name).name == name


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        # The point of a size counts: 16 is not 1.6. The second is how torchvision writes it.
        ("regnet_x_1.6gf", "regnet_x_1.6gf"),
        ("regnet_x_1_6gf", "regnet_x_1.6gf"),
        ("RegNetX-16GF", "regnet_x_16gf"),
        ("regnet_y_3-2gf", "regnet_y_3.2gf"),
        ("SqueezeNet 1.1", "squeezenet1_1"),
        ("shufflenet_v2_x0.5", "shufflenet_v2_x0_5"),
        ("ResNeXt-50 32x4d", "resnext50_32x4d"),
        ("WRN-28-10", "wrn_28_10"),
    ],
)
def test_a_number_in_a_name_is_not_taken_for_another(name: str, wanted: str) -> None:
    assert load(name).name == wanted


@pytest.mark.parametrize("name", ["regnet_x_32_gf_2", "regnet_y_12_8gf", "wrn_2810"])
def test_a_number_that_no_name_has_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="there is no network"):
        load(name)


def test_every_promised_name_is_there() -> None:
    assert set(PROMISED) - set(names()) == set()


@pytest.mark.slow
def test_names_take_capitals_and_dashes() -> None:
    for name in PROMISED:
        if name.partition("@")[0] in {entry.name for entry in entries().values()}:
            for spelling in (name.upper(), name.replace("_", "-"), name.replace("_", ""), name.title()):
                assert load(spelling).name == name
    assert load("VGG-16@C").name == "vgg16@c"
    assert load("Res-Net_50@V1").name == "resnet50@v1"


@pytest.mark.slow
def test_every_network_has_a_title_and_a_source() -> None:
    for name in names():
        graph = load(name)
        assert graph.title, name
        assert graph.title != graph.name, name
        assert graph.year, name
        assert 1980 <= graph.year <= 2030, name
        # The blocks that are compared with each other are examples, not works.
        assert graph.authors or name.startswith("blocks/"), name


def test_a_family_stands_for_its_defaults() -> None:
    graph = load("resnet")
    assert graph.name == "resnet"
    assert len(graph) > 50


def test_settings_and_input() -> None:
    graph = load("lenet5", {"classes": 7}, (3, 32, 32))
    assert graph.settings == {"classes": 7}
    assert graph.input_shape == (3, 32, 32)
    # The next one is not touched.
    assert load("lenet5").settings == {"classes": 10}
    assert load("lenet5").input_shape == (1, 32, 32)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("alxnet", "did you mean alexnet"),
        ("resnet51", "resnet50"),
        ("googlnet@aux", "googlenet"),
        ("qqqqqq", "archcalc list"),
        ("vgg16@d", "there are c, bn"),
        ("zfnet@x", "it has none"),
        ("vgg19@c", "no variant 'c'"),
        ("", "network"),
        ("@c", "network"),
        ("x" * 1000, "xxx"),
        ("nul\0", "nul"),
    ],
)
def test_unknown_names(name: str, wanted: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(name)
    assert wanted in str(caught.value)
    assert len(str(caught.value)) < 300
    assert "\0" not in str(caught.value)


def test_unknown_settings() -> None:
    with pytest.raises(UsageError, match="no parameter 'clases'; did you mean classes"):
        load("lenet5", {"clases": 1})
    with pytest.raises(UsageError, match="alexnet: groups can be 1, 2, not 3"):
        load("alexnet", {"groups": 3})


def test_files_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DATA / "modules.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "mine.yml").write_text(text, encoding="utf-8")
    (tmp_path / "mine").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in (
        "mine.yaml",
        "./mine.yaml",
        str(tmp_path / "mine.yml"),
        "mine.yml",
        "./mine",
        f"../{tmp_path.name}/mine",
    ):
        assert load(name).name == "modules"
    assert load("mine.yaml@wide").settings["width"] == 16
    with pytest.raises(UsageError, match="no variant 'wid'; did you mean wide"):
        load("mine.yaml@wid")


def test_what_is_no_spec_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.yaml").write_text("")
    for name in ("folder", "./folder", str(tmp_path), "."):
        with pytest.raises(UsageError, match="is a directory"):
            load(name)
    for name in ("no.yaml", "folder/no.yaml", "empty.yaml/no.yaml"):
        with pytest.raises(UsageError, match=r"no\.yaml"):
            load(name)
    with pytest.raises(SpecError, match="empty"):
        load("empty.yaml")


def test_what_looks_like_a_file() -> None:
    assert all(map(is_file_name, ["a.yaml", "a/b.yml", "./a", "../a", "/a", ".", "C:\\a.yaml"]))
    assert not any(map(is_file_name, ["alexnet", "blocks/conv_nxn", "resnet50@v1", "a.yaml.bak", "yaml"]))


@pytest.mark.parametrize("name", ["ALEXNET", "Alex-Net", "vgg_16", "VGG-16@C", "Res-Net_50@V1", "inception v3"])
def test_a_name_takes_capitals_dashes_and_spaces(name: str) -> None:
    assert load(name).name.replace("_", "") == name.lower().replace("-", "").replace("_", "").replace(" ", "")
