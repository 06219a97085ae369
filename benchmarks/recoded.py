"""The recorded data in other codecs: captures as JPEG in a nerfstudio scene, episodes as AV1.

Pictures are the recorded ones, encoded once more; poses, depth and rows are the same files.
A folder is complete when it has its final name.
"""

import json
import shutil
import zlib
from pathlib import Path

import av
import numpy as np

from xvr.dataset.encode import encode
from xvr.sources import index, load, parse_source
from xvr.sources.records import Scene

OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
AV1 = {"preset": "10", "crf": "30", "g": "2", "svtav1-params": "lp=1"}
"""As LeRobot encodes: a key frame every other frame."""


def as_jpeg(captures: Path, to: Path) -> Path:
    """WildRGB-D captures as nerfstudio scenes with JPEG images of quality 95."""
    if not to.exists():
        partial = _fresh(to)
        for ref in index(parse_source(f"wildrgbd:{captures}")):
            scene = load(ref)
            assert isinstance(scene, Scene)
            _write_scene(scene, captures / ref.id, partial / ref.id.replace("/", "_"))
        partial.rename(to)
    return to


def as_av1(episodes: Path, to: Path) -> Path:
    """A LeRobot dataset whose videos are AV1."""
    if not to.exists():
        partial = _fresh(to)
        for path in episodes.iterdir():
            if path.name not in ("videos", "meta"):
                (partial / path.name).symlink_to(path.resolve())
        shutil.copytree(episodes / "meta", partial / "meta")
        for video in sorted(episodes.glob("videos/**/*.mp4")):
            target = partial / video.relative_to(episodes)
            target.parent.mkdir(parents=True, exist_ok=True)
            _recode(video, target)
        partial.rename(to)
    return to


def recoded_name(folder: Path) -> str:
    """Another name for every folder, so that none is taken for the other."""
    return f"{folder.name}_recoded_{zlib.crc32(str(folder.resolve()).encode()):08x}"


def _fresh(to: Path) -> Path:
    partial = to.with_name(f"{to.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def _write_scene(scene: Scene, source: Path, folder: Path) -> None:
    (folder / "images").mkdir(parents=True)
    (folder / "depth").symlink_to((source / "depth").resolve())
    camera = scene.views[0].camera
    frames = []
    for view in scene.views:
        name = f"images/{Path(view.name).stem}.jpg"
        (folder / name).write_bytes(encode(view.read_image(), "jpeg"))
        pose = view.camera.world_from_camera @ OPENGL_FROM_OPENCV
        frames.append(
            {
                "file_path": name,
                "depth_file_path": f"depth/{view.name}",
                "transform_matrix": pose.tolist(),
            }
        )
    lens = {"fl_x": camera.fx, "fl_y": camera.fy, "cx": camera.cx, "cy": camera.cy}
    size = {"w": camera.width, "h": camera.height, "camera_model": "PINHOLE"}
    (folder / "transforms.json").write_text(json.dumps(lens | size | {"frames": frames}))


def _recode(source: Path, target: Path) -> None:
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        stream = read.streams.video[0]
        stream.codec_context.thread_count = 1
        out = written.add_stream("libsvtav1", rate=stream.average_rate, options=dict(AV1))
        out.width, out.height, out.pix_fmt = stream.width, stream.height, "yuv420p"
        for number, frame in enumerate(read.decode(stream)):
            frame.pts, frame.time_base = number, 1 / stream.average_rate
            frame.pict_type = av.video.frame.PictureType.NONE
            written.mux(out.encode(frame))
        written.mux(out.encode(None))
