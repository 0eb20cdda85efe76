"""Tasks in this process, which needs no other to load a pipeline."""

from spacy_attn.tables.task_workers import Event, HaltError


def run_here(tasks, prepare, n_workers, n_threads=1):
    """Do the tasks in this process, as the processes of `run_tasks` do them."""
    try:
        work = prepare()
    except Exception as error:
        yield Event("no worker", None, str(error))
        return
    yield Event("ready", None, None)
    for number, task in tasks.items():
        reported = []
        try:
            value = work(task, reported.append)
        except Exception as error:
            yield Event("failed", number, str(error))
            if isinstance(error, HaltError):
                return
            continue
        yield from (Event("progress", number, n) for n in reported)
        yield Event("done", number, value)
