"""Make a round: every chosen slice, then a release of each chosen dataset that no check and no crash keeps back.

    selection = select(settings, only=["process_labels"])             # dagster_project.running.selection
    maker = RoundMaker(settings=settings, instance=instance, runner=InProcess(settings, instance), listener=panel)
    result = maker.make("2026-11-27", selection)                       # a RoundResult; nothing is printed
    print(result.text())                                               # tables, warnings, what blocks, what is released
    sys.exit(result.exit_code)                                         # 0, 1 or 2 as `stepmill run` says

- `running.home.open_instance()` gives the instance whose events the Dagster UI shows; `DagsterInstance.ephemeral()`
  keeps them nowhere, as `stepmill preview` may want it.
- A `Runner` runs one job for one partition and passes its events on: `InProcess` here, `running.launching.Launched` in
  a running Dagster. Subclass or replace `InProcess` to change how the assets of a slice are run.
- A `running.listener.Listener` hears what happens to each table while it happens, and is the only way to a panel.
"""
