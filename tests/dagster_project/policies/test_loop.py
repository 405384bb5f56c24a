def test_a(world):
    w = world()
    results, where = w.run()
    from dagster_project.running.report import report
    for r in results:
        print(report(r)); print(r.log.read_text()[-3000:] if r.exit_code else "")
    from dagster_project.policies.reporting import table_of
    print(where)
    print(table_of(where.known).text())
    assert 0
