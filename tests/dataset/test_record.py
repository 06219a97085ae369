import json

import pytest
from pydantic import ValidationError
from records import PROOF, SAMPLE

from xvr.dataset.reader import read_split
from xvr.dataset.record import Provenance, Sample


def test_a_sample_survives_the_way_to_json_and_back():
    sample = Sample.model_validate(SAMPLE)
    assert json.loads(sample.model_dump_json()) == SAMPLE
    assert Sample.model_validate_json(sample.model_dump_json()) == sample


@pytest.mark.parametrize(("model", "values"), [(Sample, SAMPLE), (Provenance, PROOF)])
def test_a_record_has_its_keys_and_no_others(model, values):
    with pytest.raises(ValidationError, match="extra"):
        model.model_validate(values | {"comment": ""})
    for key in values:
        with pytest.raises(ValidationError, match="missing"):
            model.model_validate({k: v for k, v in values.items() if k != key})


def test_a_record_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Sample.model_validate(SAMPLE).task = "task2"


def test_every_written_line_is_a_record_again(dataset):
    for split in ("train", "valid"):
        path = dataset / "provenance" / f"{split}.jsonl"
        for line, (sample, proof) in zip(
            path.read_text().splitlines(), read_split(dataset, split), strict=True
        ):
            assert proof is not None
            assert json.loads(proof.model_dump_json(exclude_none=True)) == json.loads(line)
            assert [image.url for image in proof.images] == sample.image_urls
