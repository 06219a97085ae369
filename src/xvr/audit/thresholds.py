"""The rules of acceptance that the audit checks again, read from the manifest where it has them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Values a dataset was made with; the defaults are those of the task descriptions."""

    min_view_angle_deg: float = 15.0
    """Between any two views, seen from the marked point."""
    max_view_angle_deg: float = 120.0
    """Between any two views, seen from the marked point."""
    min_option_px_share: float = 0.08
    """Pixel distance between options, of the image diagonal."""
    min_option_scene_share: float = 0.05
    """Distance in space between options, of the extent of the scene."""
    min_candidate_angle_deg: float = 15.0
    """Between the candidates of a viewpoint question, seen from the scene's centre."""
    min_episode_s: float = 20.0
    """Length of an episode."""
    min_cameras: float = 3
    """Cameras of an episode."""
    min_effector_path_m: float = 0.5
    """Way of the end effector during an episode."""
    margin_share: float = 0.04
    """Distance of marks from the image border, of the shorter side."""
    depth_tolerance_m: float = 0.01
    """Largest difference between a point's depth and the depth map's."""
    depth_tolerance_share: float = 0.01
    """The same relative to the depth; the larger of the two counts."""
    min_arrow_px_share: float = 0.05
    """Length of drawn arrows, of the image diagonal."""
    min_arrow_gap_deg: float = 30.0
    """Between the target's arrows in the image."""
    min_plane_angle_deg: float = 15.0
    """Between the two most different planes that references give a direction."""
    min_principal_px_share: float = 0.02
    """Distance of a viewpoint's dot from the reference's principal point, of the diagonal."""
    min_time_gap_s: float = 2.0
    """Between the odd image and the others."""
    min_effector_move_m: float = 0.05
    """End-effector motion between those times."""
    max_ssim: float = 0.90
    """Similarity of the odd camera's two frames, grey and 160 px wide."""
    min_side_m: float = 0.05
    """Sideways distance of a side camera from the centre camera's middle plane."""
    max_same_pose_m: float = 0.10
    """Between matched cameras of two episodes."""
    max_same_pose_deg: float = 10.0
    """Between matched cameras of two episodes."""
    min_turn_gap_deg: float = 30.0
    """Between the two angles that a relative-pose question offers."""
    min_turn_ratio: float = 1.6
    """Of the larger of these angles to the smaller."""
    min_overlap_gap_share: float = 0.15
    """Between the right candidate's share of the reference and the next one's."""
    min_distance_ratio: float = 1.25
    """Of the second nearest point's distance to that of the nearest."""
    min_moment_move_m: float = 0.15
    """End-effector motion between two moments to order or to sync."""
    max_moment_ssim: float = 0.85
    """Similarity of a camera's frames at two such moments, grey and 160 px wide."""

    def depth_tolerance(self, depth_m: Any) -> Any:
        """Largest accepted depth difference at a depth (number or array), metres."""
        share = self.depth_tolerance_share * depth_m
        return share * (share >= self.depth_tolerance_m) + self.depth_tolerance_m * (
            share < self.depth_tolerance_m
        )


def thresholds_of(manifest: Mapping[str, Any]) -> Thresholds:
    """The thresholds in `manifest["config"]["rules"]`; the default for those it does not name."""
    config = manifest.get("config") or {}
    rules = config.get("rules") or {}
    known = {field.name for field in fields(Thresholds)}
    return Thresholds(**{name: float(value) for name, value in rules.items() if name in known})
