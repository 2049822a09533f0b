"""What holds for every test: a busy machine is no counterexample."""

from hypothesis import HealthCheck, settings

settings.register_profile("offhook", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("offhook")
