"""A calibrated scene from photographs, by structure from motion (COLMAP's, through pycolmap).

    reconstruct(Path("photos"), Path("scene"))   # then: --source colmap:scene

The result is a COLMAP model whose unit of length is arbitrary unless a scale is given. It is made
beside OUT and renamed: what is called OUT is complete, and an interrupted run leaves nothing.

Source: https://colmap.github.io/pycolmap/index.html.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xvr.capture.photos import gather_photos
from xvr.errors import Unusable, UserError
from xvr.sources.pixels import image_size

MIN_PHOTOS = 3
MIN_VIEWS = 3
MAX_FEATURES = 2048
"""Per photograph; matching takes time with its square."""
MIN_INLIER_RATIO = 0.4
"""Of the matches of two photographs; COLMAP's 0.25 spends most of the time on those that share
nothing."""
ALL_PAIRS = 200
"""Up to so many photographs, each is matched with every other; beyond, with those near in order."""
OVERLAP = 20
NOTE = "reconstruction.json"
DATABASE = "database.db"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a reconstruction is made from; a finished one with the same request is kept."""

    photos: str
    frames: int = 60
    """Frames that are taken of a video."""
    scale: float | None = None
    """Metres per unit of the model; None leaves the unit as it comes."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.scale is not None and not self.scale > 0:
            raise UserError(f"scale {self.scale} must be positive: metres per unit of the model")
        if self.frames < MIN_PHOTOS:
            raise UserError(f"frames {self.frames}: at least {MIN_PHOTOS} are needed")


@dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """What came out."""

    photographs: int
    registered: int
    points: int
    error_px: float
    """Mean reprojection error."""


def reconstruct(
    request: Request,
    out: Path,
    *,
    workers: int = 1,
    progress: Progress = lambda done, total: None,  # noqa: ARG005
    tell: Callable[[str], None] = lambda stage: None,  # noqa: ARG005
) -> Reconstruction:
    """Write `images/` and `sparse/0/` to a folder that does not exist yet or is empty.

    With one worker the same photographs give the same model; with more, it may differ in its last
    digits.

    Args:
        request: what it is made from.
        out: the folder.
        workers: threads.
        progress: told how many of the photographs are registered.
        tell: told what is done next, in a few words.

    Raises:
        UserError: pycolmap is missing, OUT holds something else, there are too few photographs, or
            too few of them could be registered.
    """
    done = _finished(request, out)
    if done is not None:
        return done
    pycolmap = _pycolmap()
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    work.chmod(0o755)
    try:
        (work / "images").mkdir()
        names = gather_photos(Path(request.photos), request.frames, work / "images")
        if len(names) < MIN_PHOTOS:
            raise UserError(f"{request.photos}: {len(names)} photographs, at least {MIN_PHOTOS}")
        with _quiet(pycolmap):
            tell(f"finding features in {len(names)} photographs")
            _extract(pycolmap, work, names, workers)
            tell("matching them")
            _match(pycolmap, work, len(names), request.seed, workers)
            tell("placing cameras")
            model = _map(pycolmap, work, names, request.seed, workers, progress)
        result = _write(pycolmap, model, work, len(names), request)
        if out.exists():
            out.rmdir()
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return result


def _finished(request: Request, out: Path) -> Reconstruction | None:
    """The result of the same request, when it lies there already."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    note = out / NOTE
    if note.is_file():
        content = json.loads(note.read_text())
        if content.get("request") == asdict(request):
            return Reconstruction(**content["result"])
    raise UserError(f"{out} holds something else; choose another folder or delete it")


def _pycolmap() -> Any:
    try:
        import pycolmap
    except ImportError as error:
        raise UserError(
            f'reconstructing needs pycolmap ({error}); pip install "xvr[sfm]"'
        ) from error
    return pycolmap


@contextmanager
def _quiet(pycolmap: Any) -> Iterator[None]:
    """Only errors of COLMAP are told."""
    level = pycolmap.logging.minloglevel
    pycolmap.logging.minloglevel = pycolmap.logging.Level.ERROR.value
    try:
        yield
    finally:
        pycolmap.logging.minloglevel = level


def _extract(pycolmap: Any, work: Path, names: list[str], workers: int) -> None:
    """Features of all photographs; on the CPU, so that every machine finds the same."""
    images = work / "images"
    try:
        one_size = len({image_size(images / name) for name in names}) == 1
    except Unusable as error:
        raise UserError(f"a photograph cannot be read: {error.detail}") from error
    options = pycolmap.FeatureExtractionOptions()
    options.num_threads, options.use_gpu = workers, False
    options.sift.max_num_features = MAX_FEATURES
    pycolmap.extract_features(
        work / DATABASE,
        images,
        names,
        pycolmap.CameraMode.SINGLE if one_size else pycolmap.CameraMode.AUTO,
        extraction_options=options,
        device=pycolmap.Device.cpu,
    )


def _match(pycolmap: Any, work: Path, count: int, seed: int, workers: int) -> None:
    """Matches between all photographs, or those near in order where there are many."""
    matching = pycolmap.FeatureMatchingOptions()
    matching.num_threads, matching.use_gpu = workers, False
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = seed
    verification.ransac.min_inlier_ratio = MIN_INLIER_RATIO
    options: dict[str, Any] = {
        "matching_options": matching,
        "verification_options": verification,
        "device": pycolmap.Device.cpu,
    }
    if count <= ALL_PAIRS:
        pycolmap.match_exhaustive(work / DATABASE, **options)
        return
    pairing = pycolmap.SequentialPairingOptions()
    pairing.overlap, pairing.quadratic_overlap = OVERLAP, True
    pycolmap.match_sequential(work / DATABASE, pairing_options=pairing, **options)


def _map(
    pycolmap: Any, work: Path, names: list[str], seed: int, workers: int, progress: Progress
) -> Any:
    """The largest model."""
    pipeline = pycolmap.IncrementalPipelineOptions()
    pipeline.num_threads, pipeline.min_model_size = workers, MIN_VIEWS
    pipeline.random_seed = pipeline.mapper.random_seed = seed
    pipeline.triangulation.random_seed = seed
    registered = iter(range(2, len(names) + 1))
    models = pycolmap.incremental_mapping(
        work / DATABASE,
        work / "images",
        work,
        pipeline,
        next_image_callback=lambda: progress(next(registered, len(names)), len(names)),
    )
    for number in models:
        shutil.rmtree(work / str(number), ignore_errors=True)
    for file in work.glob(f"{DATABASE}*"):
        file.unlink()
    best = max(models.values(), key=lambda model: model.num_reg_images(), default=None)
    count = 0 if best is None else best.num_reg_images()
    if best is None or count < MIN_VIEWS:
        raise UserError(
            f"{count} of {len(names)} photographs could be registered, at least {MIN_VIEWS} are "
            "needed: take more, with much overlap, good texture and a camera that moves sideways"
        )
    progress(len(names), len(names))
    return best


def _write(
    pycolmap: Any, model: Any, work: Path, photographs: int, request: Request
) -> Reconstruction:
    if request.scale is not None:
        model.transform(pycolmap.Sim3d(request.scale, pycolmap.Rotation3d(), [0.0, 0.0, 0.0]))
    sparse = work / "sparse" / "0"
    sparse.mkdir(parents=True)
    model.write_binary(str(sparse))
    result = Reconstruction(
        photographs=photographs,
        registered=model.num_reg_images(),
        points=model.num_points3D(),
        error_px=model.compute_mean_reprojection_error(),
    )
    note = {"request": asdict(request), "result": asdict(result)}
    (work / NOTE).write_text(json.dumps(note, indent=1) + "\n")
    return result
