"""Action heads: from features of a backbone and the robot's state to a chunk of actions."""
