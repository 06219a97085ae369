import pytest

from toy.datasets import config
from xvr.engine.config import MIXTURES, BuildConfig
from xvr.engine.seeds import child_rng, digest
from xvr.errors import UserError
from xvr.tasks import ALL_TASK_NAMES, EXTENDED_TASKS, TASK_NAMES, get_task


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": ("point_corespondence",)}, "did you mean 'point_correspondence'"),
        ({"mixture": "robotics"}, "did you mean 'robotic'"),
        ({"sources": ()}, "give at least one --source"),
        ({"samples": 0}, "ask for at least 1, or for --eval"),
        ({"samples": -3}, "--samples is -3"),
        ({"valid_share": 1.0}, "valid_share is 1.0"),
        ({"eval_share": -0.1}, "eval_share is -0.1"),
        ({"valid_share": float("nan")}, "valid_share is nan"),
        ({"jpeg_quality": 0}, "jpeg quality must be 1..100"),
        ({"images_per_shard": 0}, "images per shard at least 1"),
        ({"keep_clean": True, "images": "none"}, "--keep-clean needs images"),
    ],
)
def test_an_impossible_config_says_what_to_change(change, message):
    with pytest.raises(UserError, match=message):
        BuildConfig(**{"sources": ("wildrgbd:x",), "samples": 10} | change)


def test_no_samples_are_fine_for_a_benchmark_alone():
    assert BuildConfig(sources=("wildrgbd:x",), samples=0, evaluation=True).samples == 0


@pytest.mark.parametrize("mixture", MIXTURES)
def test_shares_sum_to_one_in_the_order_of_the_tasks(mixture):
    shares = config("x:y", tasks=(), mixture=mixture).shares()
    assert sum(shares.values()) == pytest.approx(1.0)
    assert list(shares) == [name for name in ALL_TASK_NAMES if name in shares]


def test_chosen_tasks_keep_the_proportions_of_the_mixture():
    shares = config("x:y", tasks=("temporal_verification", "point_correspondence"), mixture="xvr")
    assert shares.shares() == pytest.approx(
        {"point_correspondence": 264 / 434, "temporal_verification": 170 / 434}
    )


def test_no_extended_task_is_made_unless_asked_for():
    for mixture in ("xvr", "general", "robotic", "uniform"):
        assert set(config("x:y", tasks=(), mixture=mixture).shares()) <= set(TASK_NAMES)


def test_extended_stands_for_all_extended_tasks_also_beside_others():
    extended = [task.name for task in EXTENDED_TASKS]
    for settings in ({"tasks": ("extended",)}, {"tasks": (), "mixture": "extended"}):
        shares = config("x:y", **settings).shares()
        assert list(shares) == extended
        assert set(shares.values()) == {0.2}
    mixed = config("x:y", tasks=("temporal_sync", "temporal_verification"), mixture="uniform")
    assert mixed.shares() == {"temporal_verification": 0.5, "temporal_sync": 0.5}
    both = config("x:y", tasks=("extended", "temporal_verification"), mixture="xvr").shares()
    assert both["temporal_sync"] / both["temporal_verification"] == pytest.approx(200 / 170)


def test_a_domain_mixture_has_the_tasks_of_its_domain():
    for domain in ("general", "robotic"):
        names = config("x:y", tasks=(), mixture=domain).shares()
        assert {get_task(name).domain for name in names} == {domain}
        assert len(names) == 4


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"samples": 25}, {"keep_clean": True}, {"valid_share": 0.5}]
)
def test_every_setting_counts_in_the_fingerprint(change):
    plain = config("x:y")
    assert plain.fingerprint("s", "1") == config("x:y").fingerprint("s", "1")
    assert plain.fingerprint("s", "1") != config("x:y", **change).fingerprint("s", "1")
    assert plain.fingerprint("s", "1") != plain.fingerprint("t", "1")
    assert plain.fingerprint("s", "1") != plain.fingerprint("s", "2")


def test_a_child_generator_depends_on_every_name_and_on_their_borders():
    def first(*names):
        return child_rng(*names).integers(2**60)

    assert first(0, "a", 1) == first(0, "a", 1)
    drawn = [first(0, "a", 1), first(1, "a", 1), first(0, "b", 1), first(0, "a", 2), first(0, "a1")]
    assert len(set(drawn)) == len(drawn)
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(1) == digest("1")
