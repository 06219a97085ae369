from dataclasses import replace

import pytest

from toy import drafting
from xvr.engine.assemble import unit_record
from xvr.sources import index, load, parse_source


def source_record(task, source, groups):
    """`source` of the provenance of a toy draft whose scenes or episodes have these groups."""
    refs = index(parse_source(source))[:2]
    _, draft = drafting.drafts(task)[0]
    record = unit_record(
        draft,
        tuple(load(ref) for ref in refs),
        tuple(replace(ref, group=groups.get(n, ref.id)) for n, ref in enumerate(refs)),
        sizes=[(4, 3)] * len(draft.images),
        seed=0,
    )
    return record["provenance"]["source"]


@pytest.mark.parametrize("task", ["viewpoint_localization", "cross_scenario_localization"])
def test_a_group_that_is_the_scene_or_episode_itself_is_not_written(task, sources):
    source = sources[task == "cross_scenario_localization"]
    assert "groups" not in source_record(task, source, {})


def test_the_place_behind_a_scene_is_written(sources):
    assert source_record("viewpoint_localization", sources[0], {0: "room"})["groups"] == ["room"]


def test_a_partner_that_is_not_shown_adds_no_group(sources):
    assert "groups" not in source_record("temporal_verification", sources[1], {1: "kitchen"})


def test_two_episodes_have_a_group_each(sources):
    found = source_record("cross_scenario_localization", sources[1], {1: "kitchen"})
    assert found["groups"] == [found["episodes"][0], "kitchen"]
