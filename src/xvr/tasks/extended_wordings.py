"""What the extended tasks ask, in words: several wordings per task, one drawn for each sample.

Openings of tasks that mark something, and of robotic tasks, are those in `xvr.tasks.wordings`.
"""

from collections.abc import Mapping

PLAIN_OPENINGS = (
    "You see several camera views of one static scene.",
    "These camera views all show the same scene, in which nothing moves.",
    "The images below are camera views of a single, static scene.",
)
RELATIVE_POSE = (
    "From Image 1 to Image 2 the camera went around the scene. Seen from Image 1, to which side "
    "did it go, and through about what angle around the middle of the scene? {choices}. "
    "Answer with one letter.",
    "Image 2 was taken after the camera of Image 1 had moved around the middle of the scene. "
    "Which of these describes the move, as seen in Image 1? {choices}. Answer with the letter.",
    "Imagine standing at the camera of Image 1, facing the scene. Around its middle, which way and "
    "how far do you walk to reach the camera of Image 2? {choices}. Give the letter.",
)
TURN = "to the {side} by about {degrees} degrees"

VIEW_OVERLAP = (
    "Image 1 shows some of the scene's surfaces. Which of Images {candidates} shows more of these "
    "same surfaces? Answer with the image number.",
    "Which one of Images {candidates} shares the larger visible surface with Image 1? "
    "Answer with its number.",
    "Of all that can be seen in Image 1, one of Images {candidates} shows a larger part than the "
    "other one. Give the number of that image.",
)

DEPTH_ORDER = (
    "Images {candidates} each mark one 3D point with a dot. Which of these points is nearest to "
    "the camera that took Image 1? Answer with the number of the image that marks it.",
    "Each of Images {candidates} has a dot on a point of its own. Stand where Image 1 was taken: "
    "which marked point is the closest? Give the number of its image.",
    "Find the point, among those marked in Images {candidates}, with the shortest distance to the "
    "camera of Image 1. Answer with the number of the image that shows its dot.",
)

TEMPORAL_ORDER = (
    "Images 1 and 2 show two moments, seen by one camera. Images 3, 4 and 5 are from another "
    "camera: the same two moments and one between them, mixed up. Which order leads from the "
    "moment of Image 1 to that of Image 2? {choices}. Answer with one letter.",
    "A second camera took Images 3, 4 and 5: one together with Image 1, one together with Image 2, "
    "and one at a time in between. Sort them, starting at the moment of Image 1 and ending at that "
    "of Image 2: {choices}. Give the letter.",
    "Which order of Images 3, 4 and 5 begins when Image 1 was taken and ends when Image 2 was "
    "taken, by another camera, with a moment in between? It may run forwards or backwards in time. "
    "{choices}. Answer with the letter.",
)

TEMPORAL_SYNC = (
    "Which of Images {candidates}, all from the {role} camera, was taken at the same moment as "
    "Image 1? Answer with the image number.",
    "Image 1 shows one moment. The {role} camera took Images {candidates} at three moments, one of "
    "them the same. Which image is it? Give its number.",
    "Find the frame that is in sync with Image 1 among Images {candidates} of the {role} camera. "
    "Answer with its number.",
)


def spelled(choices: Mapping[str, str]) -> str:
    """The options of a question in one line: `A: to the left by ...; B: ...`."""
    return "; ".join(f"{letter}: {text}" for letter, text in choices.items())
