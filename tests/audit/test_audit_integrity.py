from pathlib import Path

import pytest
from audit_room import rig_entry

from xvr.audit.integrity import check_integrity
from xvr.audit.origin import Origins
from xvr.audit.written import ImageStore, Written


def described(first, *others, number=0):
    entry = rig_entry(
        task="language_conditioned_localization",
        shown=[(role, 50, None) for role in (first, *others)],
        world={"asked_role": "ego", "described_role": first},
        options=("2", "3"),
        answer="3",
    )
    sample = entry.sample.model_copy(update={"sample_id": f"words_{number}"})
    return entry._replace(sample=sample)


def reasons(*entries, root=Path("/nowhere")):
    written = Written(
        root=root,
        manifest={"config": {"images": "none"}},
        entries=entries,
        images=ImageStore(root),
        findings=(),
    )
    return {finding.reason for finding in check_integrity(written, Origins())}


def test_the_same_images_with_another_one_described_are_another_question():
    first = described("fix_left", "fix_center", "ego")
    assert reasons(first, described("fix_center", "fix_left", "ego", number=1)) == {"unbalanced"}


def test_the_same_images_in_another_order_are_a_duplicate():
    first = described("fix_left", "fix_center", "ego")
    again = described("fix_left", "ego", "fix_center", number=1)
    assert "duplicate_question" in reasons(first, again)


def test_images_are_not_looked_for_where_none_were_written():
    assert reasons(described("fix_left", "fix_center", "ego")) == set()


@pytest.mark.parametrize("split", ["valid", "xvr_eval"])
def test_an_episode_in_two_splits_is_found(split):
    first = described("fix_left", "fix_center", "ego")
    other = described("fix_center", "fix_left", "ego", number=1)._replace(split=split)
    assert reasons(first, other) == {"splits_overlap"}
