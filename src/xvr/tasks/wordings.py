"""What is asked, in words: several wordings per task, one drawn for each sample."""

GENERAL_OPENINGS = (
    "You see multiple synchronized camera views of one static scene, with annotations.",
    "These are multiple synchronized camera views with annotations, all of the same scene.",
    "The images below are annotated, synchronized camera views of a single scene.",
)
ROBOTIC_OPENINGS = (
    "These are several images captured during a robotic manipulation task. "
    "Where a camera position is known, its description stands with the image.",
    "The following images were captured during a robotic manipulation task; "
    "an image comes with the description of its camera position where one is given.",
    "Several images captured during a robotic manipulation task follow, "
    "with descriptions of the camera positions where these are given.",
)

POINT = (
    "The {references} reference images mark one 3D point with a dot labelled Target. "
    "Which coloured dot in the target image (Image {target}) lies on that same 3D point? "
    "Answer with one colour: {colors}.",
    "A single 3D location is marked in each of the {references} reference images. "
    "In Image {target}, find the dot at this location and give its colour ({colors}).",
    "All {references} reference dots lie on the same spot of the scene. "
    "Name the colour of the dot in Image {target} that lies there too. Options: {colors}.",
)
DIRECTION = (
    "The {references} reference images each draw the same 3D direction as an arrow from the same "
    "point. Which coloured arrow in the target image (Image {target}) points in that 3D direction? "
    "Answer with one colour: {colors}.",
    "One direction in space is shown by the arrow in every one of the {references} reference "
    "images. In Image {target}, which arrow shows this direction? Give its colour ({colors}).",
    "Every reference arrow is one and the same arrow in 3D, seen from {references} cameras. "
    "Name the colour of the arrow in Image {target} that is this arrow. Options: {colors}.",
)
SPATIAL = (
    "Images 1 to {count} should all mark the same 3D point, but one of them marks another place. "
    "Which image is it? Answer with its number.",
    "Each of the {count} images has a dot. All dots but one lie on the same spot of the scene. "
    "Give the number of the image whose dot does not.",
    "One dot among Images 1 to {count} is on the wrong 3D point; the others agree. "
    "Which image number has the wrong dot?",
)
TEMPORAL = (
    "The images should all be from the same moment, but one of them was taken at another time. "
    "Which image is it? Answer with its number.",
    "All cameras but one show the same instant. Give the number of the image that does not "
    "belong to it.",
    "One of these {count} camera images is out of sync with the others. Which image number is it?",
)
VIEWPOINT = (
    "The dot in each reference image (Images 1 to {references}) marks where another camera stands "
    "in 3D space. Which of the candidate images {candidates} did that camera take? "
    "Answer with the image number.",
    "A camera's position is marked with a dot in Images 1 to {references}. Which one of Images "
    "{candidates} was taken from there? Answer with the image number.",
    "Find the picture taken from the marked camera location: the dots in Images 1 to {references} "
    "show where it is, the candidates are Images {candidates}. Give the image number.",
)
VIEWPOINT_ONE = (
    "The dot in the reference image (Image 1) marks where another camera stands in 3D space. "
    "Which of the candidate images {candidates} did that camera take? "
    "Answer with the image number.",
    "A camera's position is marked with a dot in Image 1. Which one of Images {candidates} was "
    "taken from there? Answer with the image number.",
    "Find the picture taken from the marked camera location: the dot in Image 1 shows where it "
    "is, the candidates are Images {candidates}. Give the image number.",
)
DIRECTIONAL_VIEW = (
    "Take the centre image (Image 1, {center}) as the agent's frame of reference. "
    "Which image is the view from its {side} side? Answer with the image number.",
    "With Image 1 ({center}) as the agent's own view, which of the other images was taken by the "
    "camera on its {side}? Answer with the image number.",
    "Image 1 ({center}) shows what lies ahead of the agent. Give the number of the image from the "
    "camera to the {side} of it.",
)
CROSS_SCENARIO = (
    "Image {asked} in Scenario 1 is the {role} camera. Which image of Scenario 2 was taken by the "
    "same camera? Answer with the image number.",
    "In Scenario 2, choose the image from the same {role} camera as Image {asked} in Scenario 1. "
    "Answer with the image number.",
    "The robot has the same cameras in both scenarios. Which of Images {candidates} is the {role} "
    "view that Image {asked} shows in Scenario 1? Give its number.",
)
LANGUAGE = (
    'Which of Images {candidates} matches this description of a camera: "{description}"? '
    "Answer with the image number.",
    'Select the image among {candidates} taken by the camera described so: "{description}". '
    "Give its number.",
    'A camera is described as: "{description}". Which one of Images {candidates} did it take? '
    "Answer with the image number.",
)

ROLE_DESCRIPTIONS: dict[str, tuple[str, ...]] = {
    "fix_center": (
        "a fixed camera in the middle, facing the workspace",
        "a stationary camera at the centre that overlooks the robot's work",
        "the view from the fixed centre camera",
    ),
    "fix_left": (
        "a fixed camera on the left of the workspace",
        "a stationary camera that watches the robot's work from the left side",
        "the view from the fixed left camera",
    ),
    "fix_right": (
        "a fixed camera on the right of the workspace",
        "a stationary camera that watches the robot's work from the right side",
        "the view from the fixed right camera",
    ),
    "fix_top": (
        "a fixed camera above the workspace, looking down",
        "a stationary camera that sees the robot's work from overhead",
        "the view from the fixed top camera",
    ),
    "ego": (
        "a camera on the robot's wrist, moving with the hand",
        "the view from the robot's wrist camera during manipulation",
        "a hand-mounted camera that looks along the gripper",
    ),
    "ego_left": (
        "a camera on the robot's left wrist, moving with the left hand",
        "the view from the left wrist camera during manipulation",
        "a camera mounted on the left hand",
    ),
    "ego_right": (
        "a camera on the robot's right wrist, moving with the right hand",
        "the view from the right wrist camera during manipulation",
        "a camera mounted on the right hand",
    ),
    "ego_head": (
        "a camera on the robot's head, looking down at its hands",
        "the view from the robot's own head",
        "a head-mounted camera over the workspace",
    ),
}
"""Roles that a sentence can tell apart; other roles, such as a second left camera, carry none."""
