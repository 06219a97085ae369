"""The flow-matching head: its size, its masks, and that everything it is given matters."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from xvr.errors import UserError
from xvr.vla.features import Features
from xvr.vla.heads.config import BASE, N15, TINY, get_head
from xvr.vla.heads.flow import FlowHead, draw_noise, flow_times

STATE, ACTION, CHUNK, WIDTH = 5, 3, 4, 24
SMALL = replace(TINY, width=32, decoder_width=32, output_width=32, vision_layers=1)


def head(config=SMALL, state=STATE):
    torch.manual_seed(0)
    made = FlowHead(config, feature_width=WIDTH, state_width=state, action_width=ACTION)
    return made.eval()


def features(count=2, tokens=6, padding=0, seed=0):
    """Pictures first, then text; padding on the left as a processor makes it."""
    torch.manual_seed(seed)
    mask = torch.ones(count, padding + tokens, dtype=torch.bool)
    mask[:, :padding] = False
    is_image = mask.clone()
    is_image[:, -2:] = False
    return Features(
        tokens=torch.randn(count, padding + tokens, WIDTH), mask=mask, is_image=is_image
    )


def numbers(count=2, draws=3, seed=1):
    """State, actions, real, noise and times as `loss` takes them."""
    torch.manual_seed(seed)
    return [
        torch.randn(count, STATE),
        torch.randn(count, CHUNK, ACTION),
        torch.ones(count, CHUNK, dtype=torch.bool),
        torch.randn(count, draws, CHUNK, ACTION),
        torch.rand(count, draws),
    ]


def parameters(config, feature_width=2048):
    with torch.device("meta"):
        made = FlowHead(config, feature_width=feature_width, state_width=20, action_width=12)
    return sum(weight.numel() for weight in made.parameters())


def test_n15_has_as_many_weights_as_the_original_with_one_embodiment():
    """1,068,806,144 without the tables of its 31 other embodiments, norm and future tokens in."""
    assert abs(parameters(N15) / 763_300_896 - 1) < 0.01


def test_smaller_presets_have_the_sizes_of_the_documents():
    assert 150e6 < parameters(BASE) < 160e6
    assert 0.5e6 < parameters(TINY, 96) < 1e6


def test_the_blocks_of_n15_take_turns_and_have_its_parts():
    with torch.device("meta"):
        made = FlowHead(N15, feature_width=2048, state_width=20, action_width=12)
    widths = [block.attention.key.in_features for block in made.dit.blocks]
    assert widths == [2048, 1536] * 8
    assert made.future.shape == (32, 1536)
    assert len(made.dit.vision) == 4
    assert (made.state_entries, made.action_entries) == (64, 32)


def test_padding_does_not_change_an_action():
    made, alone = head(), features(1)
    padded = features(1, padding=3)
    padded = replace(padded, tokens=torch.cat([torch.full((1, 3, WIDTH), 9.0), alone.tokens], 1))
    state, noise = torch.randn(1, STATE), torch.randn(1, CHUNK, ACTION)
    with torch.no_grad():
        expected = made.act(alone, state, noise, 4)
        torch.testing.assert_close(made.act(padded, state, noise, 4), expected, rtol=0, atol=1e-5)
        legacy = head(replace(SMALL, mask_padding=False))
        assert (
            legacy.act(padded, state, noise, 4) - legacy.act(alone, state, noise, 4)
        ).abs().max() > 1e-3


def test_a_batch_acts_as_each_of_its_rows_alone():
    made, seen = head(), features(3)
    state, noise = torch.randn(3, STATE), torch.randn(3, CHUNK, ACTION)
    with torch.no_grad():
        together = made.act(seen, state, noise, 4)
        for i in range(3):
            row = slice(i, i + 1)
            one = Features(
                tokens=seen.tokens[row], mask=seen.mask[row], is_image=seen.is_image[row]
            )
            alone = made.act(one, state[row], noise[row], 4)
            torch.testing.assert_close(together[row], alone, rtol=0, atol=1e-5)


def test_draws_that_share_features_cost_what_draws_alone_cost():
    """One pass with three draws is the mean of three passes with one."""
    made, seen = head(), features()
    state, actions, real, noise, times = numbers()
    together = made.loss(seen, state, actions, real, noise, times)
    alone = [
        made.loss(seen, state, actions, real, noise[:, i : i + 1], times[:, i : i + 1])
        for i in range(3)
    ]
    torch.testing.assert_close(together, torch.stack(alone).mean())


def gradients(config):
    made = head(config)
    seen = features()
    seen.tokens.requires_grad_(True)
    state, *rest = numbers()
    state.requires_grad_(True)
    made.loss(seen, state, *rest).backward()
    assert seen.tokens.grad is not None
    of_images = seen.tokens.grad[seen.is_image].abs().sum()
    of_text = seen.tokens.grad[~seen.is_image].abs().sum()
    of_state = torch.zeros(()) if state.grad is None else state.grad.abs().sum()
    return float(of_images), float(of_text), float(of_state)


@pytest.mark.parametrize("alternate", [False, True])
def test_every_input_gets_a_gradient(alternate):
    assert min(gradients(replace(SMALL, alternate=alternate))) > 0


def test_without_self_attention_the_state_gets_none():
    """The defect of copies whose every block looks at the backbone only."""
    of_images, _, of_state = gradients(replace(SMALL, self_attention=False))
    assert of_images > 0
    assert of_state == 0


def test_every_input_changes_the_action():
    made, seen = head(), features(1)
    state, noise = torch.randn(1, STATE), torch.randn(1, CHUNK, ACTION)
    with torch.no_grad():
        action = made.act(seen, state, noise, 4)
        for changed in (
            made.act(replace(seen, tokens=seen.tokens.flip(2)), state, noise, 4),
            made.act(seen, state + 1, noise, 4),
            made.act(seen, state, noise + 1, 4),
        ):
            assert (changed - action).abs().max() > 1e-4


def test_what_never_happened_is_not_learned():
    made, seen = head(), features()
    state, actions, real, noise, times = numbers()
    real[:, 2:] = False
    spoiled = actions.clone()
    spoiled[:, 2:] += 5
    loss = made.loss(seen, state, actions, real, noise, times)
    # The padded steps are seen by the others through attention, but cost nothing themselves.
    made.zero_grad()
    error_only = made.loss(seen, state, spoiled, real, noise, torch.zeros_like(times))
    clean = made.loss(seen, state, actions, real, noise, torch.zeros_like(times))
    torch.testing.assert_close(error_only, clean)
    legacy = head(replace(SMALL, mask_time=False))
    assert legacy.loss(seen, state, actions, real, noise, times) != loss


def test_acting_follows_the_velocity_in_equal_steps():
    made, seen = head(), features(1)
    state, noise = torch.randn(1, STATE), torch.randn(1, CHUNK, ACTION)
    with torch.no_grad():
        sources, token = made.dit.sources(seen), made._state_tokens(state)
        by_hand = noise
        for t in (0.0, 0.25, 0.5, 0.75):
            by_hand = by_hand + 0.25 * made._velocity(sources, token, by_hand, torch.tensor([t]))
        torch.testing.assert_close(made.act(seen, state, noise, 4), by_hand)


def test_entries_that_only_pad_are_not_there_for_the_data():
    padded = replace(SMALL, state_entries=9, action_entries=7)
    made = head(padded)
    with torch.no_grad():
        action = made.act(features(1), torch.randn(1, STATE), torch.randn(1, CHUNK, ACTION), 4)
    assert action.shape == (1, CHUNK, ACTION)
    assert made.loss(features(), *numbers()).isfinite()


def test_a_policy_without_a_state_has_no_token_for_it():
    made = head(state=0)
    assert made.state is None
    state, *rest = numbers()
    assert made.loss(features(), state[:, :0], *rest).isfinite()


def test_a_withheld_state_is_withheld_in_training_only():
    made = head(replace(SMALL, state_dropout=0.99))
    state = torch.randn(64, STATE)
    assert torch.equal(made._state_tokens(state), made.state(state))
    made.train()
    torch.manual_seed(0)
    withheld = (made._state_tokens(state) == 0).all(-1).float().mean()
    assert 0.9 < withheld <= 1


def test_flow_times_are_mostly_noise_and_never_negative():
    times = flow_times(np.random.default_rng(0), (20000,), N15)
    assert times.min() >= 0
    assert times.max() < 1
    # u ~ Beta(1.5, 1) has mean 0.6, so t = 1 - u / s has mean 0.4.
    assert abs(times.mean() - 0.4) < 0.01
    assert np.mean(times < 0.25) > 0.3


def test_noise_of_a_row_is_that_of_its_generator():
    rngs = [np.random.default_rng([7, i]) for i in range(3)]
    noise = draw_noise(rngs, (CHUNK, ACTION))
    alone = draw_noise([np.random.default_rng([7, 1])], (CHUNK, ACTION))
    assert np.array_equal(noise[1], alone[0])


def test_changes_of_a_preset_are_taken_by_name():
    changed = get_head("tiny", ("mask_padding=false", "dropout=0.1", "blocks=2"))
    assert (changed.mask_padding, changed.dropout, changed.blocks) == (False, 0.1, 2)


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        ("n16", (), "unknown head 'n16': did you mean 'n15'"),
        ("tiny", ("dropuot=0.1",), "unknown field of a head 'dropuot': did you mean 'dropout'"),
        ("tiny", ("dropout",), "write FIELD=VALUE"),
        ("tiny", ("mask_padding=1",), "mask_padding is a bool"),
        ("tiny", ("width=97",), "does not divide by 4"),
        ("tiny", ("dropout=1.5",), "at least 0 and below 1"),
    ],
)
def test_a_head_that_cannot_be_is_refused(name, changes, told):
    with pytest.raises(UserError, match=told):
        get_head(name, changes)


def test_data_wider_than_the_head_are_refused():
    with pytest.raises(UserError, match="takes 64 state entries and the data have 70"):
        FlowHead(N15, feature_width=8, state_width=70, action_width=3)
