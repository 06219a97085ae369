def load_composite_controller_config(controller, robot):
    assert controller is None
    return {"type": "HYBRID_MOBILE_BASE", "robot": robot}
