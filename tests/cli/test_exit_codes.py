"""Exit codes and messages: 0 done, 2 something to fix, 130 interrupted."""

import json

import pytest
from running import run

import xvr.engine.build
from toy.datasets import QUICK_TASKS

SMALL = ("--samples", 6, "--valid-share", 0, "--tasks", "temporal_verification")


@pytest.mark.parametrize("argv", [("dta",), ("data", "bild"), ("data",) * 2, ("build", "data")])
def test_an_unknown_command_lists_the_known_ones(argv, capsys):
    found = run(capsys, *argv)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(f"error: unknown command '{' '.join(argv)}'")
    assert "xvr data build" in found.err


def test_a_build_says_what_it_made_on_stderr_only(sources, tmp_path, capsys):
    out = tmp_path / "out"
    found = run(capsys, "data", "build", out, "--source", sources[1], *SMALL)
    assert (found.code, found.out) == (0, "")
    assert found.err == f"{out}: 6 samples (train 6), 3.00 images per sample\n"
    again = run(capsys, "data", "build", out, "--source", sources[1], *SMALL)
    assert again == found


def test_a_rank_says_when_it_is_not_the_one_that_writes(sources, tmp_path, capsys):
    out = tmp_path / "out"
    words = ("data", "build", out, "--source", sources[1], *SMALL, "--world", 2, "--rank")
    assert run(capsys, *words, 1) == (
        0,
        "",
        f"{out}: all units are done; rank 0 writes the dataset\n",
    )
    assert run(capsys, *words, 0).err.startswith(f"{out}: 6 samples (train 6)")


def test_every_option_reaches_the_build(sources, tmp_path, capsys):
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"min_scene_points": 50_000, "max_ssim": 0.9}))
    words = [
        *("data", "build", tmp_path / "out", "--source", sources[0], "--source", sources[1]),
        *("--samples", 16, "--mixture", "uniform", "--valid-share", 0.25, "--eval-share", 0.2),
        *("--tasks", *QUICK_TASKS, "--rules", rules, "--set", "depth_tolerance_share=0.03"),
        *("--set", "max_ssim=0.95", "--image-format", "jpeg", "--jpeg-quality", 90),
        *("--images", "folder", "--keep-clean", "--seed", 3),
        *("--mark-scale", 1.5, "--no-mark-labels"),
    ]
    assert run(capsys, *words).code == 0
    config = json.loads((tmp_path / "out" / "manifest.json").read_text())["config"]
    rules = config.pop("rules")
    assert rules["min_scene_points"] == 50_000
    assert rules["max_ssim"] == 0.95
    assert rules["depth_tolerance_share"] == 0.03
    assert config == {
        "sources": list(sources),
        "samples": 16,
        "tasks": list(QUICK_TASKS),
        "mixture": "uniform",
        "evaluation": False,
        "valid_share": 0.25,
        "eval_share": 0.2,
        "seed": 3,
        "image_format": "jpeg",
        "jpeg_quality": 90,
        "images": "folder",
        "keep_clean": True,
        "mark_scale": 1.5,
        "mark_labels": False,
        "images_per_shard": 10_000,
    }


def test_overwrite_makes_room_and_without_it_nothing_is_lost(sources, tmp_path, capsys):
    words = ("data", "build", tmp_path / "out", "--source", sources[1], *SMALL)
    assert run(capsys, *words).code == 0
    refused = run(capsys, *words, "--seed", 1)
    assert refused.code == 2
    assert "choose another folder or add --overwrite" in refused.err
    assert run(capsys, *words, "--seed", 1, "--overwrite").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--source", "wildrgb:."), "unknown source format 'wildrgb': did you mean 'wildrgbd'?"),
        (("--source", "wildrgbd"), "write FORMAT:PATH, such as wildrgbd:/data/wildrgbd"),
        (("--source", "wildrgbd:/no/such"), "/no/such does not exist"),
        ((), "no source: give at least one --source FORMAT:PATH"),
        (
            ("--source", "wildrgbd:.", "--tasks", "point_corespondence"),
            "unknown task 'point_corespondence': did you mean 'point_correspondence'?",
        ),
        (
            ("--source", "wildrgbd:.", "--set", "max_sim=0.8"),
            "unknown rule 'max_sim': did you mean 'max_ssim'?",
        ),
        (("--source", "wildrgbd:.", "--set", "max_ssim"), "write name=value"),
        (("--source", "wildrgbd:.", "--rules", "/no/such.json"), "cannot read rules from"),
        (("--source", "wildrgbd:.", "--valid-share", 1), "valid_share is 1.0; it must be in 0..1"),
        (("--source", "wildrgbd:.", "--workers", 0), "--workers is 0"),
        (("--source", "wildrgbd:.", "--rank", 1), "--rank is 1 and --world 1"),
        (("--source", "wildrgbd:.", "--world", 2, "--overwrite"), "--overwrite with --world"),
    ],
)
def test_a_mistake_is_said_in_one_message_without_a_traceback(words, message, tmp_path, capsys):
    found = run(capsys, "data", "build", tmp_path / "out", "--samples", 5, *words)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("error: ")
    assert message in found.err
    assert not (tmp_path / "out").exists()


def test_no_samples_are_a_mistake(tmp_path, capsys):
    found = run(capsys, "data", "build", tmp_path / "out", "--source", "wildrgbd:.")
    assert found.code == 2
    assert "--samples is 0" in found.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--smples", "5"), "--samples"),
        (("--mixture", "robotics"), "'robotic'"),
        (("--samples", "many"), "many"),
    ],
)
def test_a_mistyped_option_shows_the_known_ones(words, message, tmp_path, capsys):
    found = run(capsys, "data", "build", tmp_path, "--source", "wildrgbd:.", *words)
    assert found.code == 2
    assert message in found.out + found.err
    assert "Traceback" not in found.err


def test_a_path_without_the_format_is_a_mistake(tmp_path, capsys):
    (tmp_path / "folder").mkdir()
    source = f"lerobot:{tmp_path / 'folder'}"
    found = run(capsys, "data", "build", tmp_path / "out", "--source", source, "--samples", 5)
    assert found.code == 2
    assert "holds no LeRobot dataset" in found.err


def test_control_c_says_how_to_go_on(sources, tmp_path, capsys, monkeypatch):
    def press(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(xvr.engine.build, "build", press)
    found = run(capsys, "data", "build", tmp_path / "out", "--source", sources[1], *SMALL)
    assert found.code == 130
    assert found.err == "interrupted; run the same command again to go on\n"


@pytest.mark.parametrize("command", ["data audit", "data stats", "data show"])
def test_a_folder_without_a_dataset_is_a_mistake(command, tmp_path, capsys):
    found = run(capsys, *command.split(), tmp_path)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("error: ")
    assert str(tmp_path) in found.err


def test_a_relocation_without_an_equals_sign_is_a_mistake(dataset, capsys):
    found = run(capsys, "data", "audit", dataset, "--relocate", "/data")
    assert found.code == 2
    assert "OLD=NEW" in found.err
