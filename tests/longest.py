"""The files of tests that take more than 8 s of a worker, with their slow tests, the longest first: conftest.py has them begin first."""

LONGEST = (
    "tools/test_sanitize.py", "tools/test_arm.py", "report/test_browser.py", "faults/test_hostile_files.py", "faults/test_kills.py",
    "faults/test_answer_first.py", "faults/test_end_of_a_study.py", "framework/test_ranks.py", "integrations/test_ultralytics.py",
    "integrations/test_transformers.py", "integrations/test_lightning.py", "integrations/test_detection.py", "integrations/test_nnunet.py",
    "cli/test_tune.py", "tuning/test_study_resume.py", "docs/test_site.py", "faults/test_readers_fuzz.py", "faults/test_streams.py",
    "adaptive/test_laws.py", "examples/test_nuclei.py", "framework/test_compile.py", "docs/test_choosing.py", "tuning/test_engine.py",
    "tools/test_peers_tests.py", "integrations/test_sklearn.py", "tuning/store/test_share.py", "plot/test_gallery.py", "benchmarks/test_gpu.py",
    "benchmarks/test_claims.py", "tuning/test_study.py", "laws/test_waiting.py", "data/test_agreement.py", "test_contributing.py",
    "faults/test_saved_files.py", "cli/test_imports.py", "docs/test_blocks.py", "ops/test_native.py", "tools/test_wheels.py",
    "faults/test_outputs.py", "test_heard.py", "typing/test_consumer.py", "data/test_ranks.py", "benchmarks/test_hard.py",
    "integrations/test_imports.py", "report/test_page.py", "examples/test_shards.py", "tuning/test_study_weights.py",
    "laws/test_derivatives.py", "laws/test_limits.py", "data/test_classes.py",
)  # fmt: skip
