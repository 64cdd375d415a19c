"""What runs by itself in the background of this domain."""

from app.background import Job
from app.runs import keeping, mailing, news, retention, rollouts, tracing, values, variables, words


async def write_down_words() -> int:
    """Make ended runs findable by their words. Every 3 seconds."""
    done = await words.write_down()
    while done and done % words.BATCH == 0:
        more = await words.write_down()
        if not more:
            break
        done += more
    return 0 if done < words.BATCH else done  # a few are no news


async def forget_old_runs() -> int:
    """Delete what is older than its workspace keeps it, in batches. Every ten minutes. Returns how many."""
    done = await retention.forget_old()
    while done and done % retention.BATCH == 0:
        more = await retention.forget_old()
        if not more:
            break
        done += more
    return done


async def forget_kept_results() -> int:
    """Delete kept results of steps that are out of date or too many. Every ten minutes. Returns how many."""
    return await keeping.forget_kept()


async def forget_values() -> int:
    """Remove large values that no run names any more. Every ten minutes. Returns how many."""
    return await values.forget_values()


async def send_spans() -> int:
    """Ended runs to the OpenTelemetry receiver, where one is set. Every 5 seconds. Returns how many."""
    done = await tracing.send_spans()
    while done and done % tracing.BATCH == 0:
        more = await tracing.send_spans()
        if not more:
            break
        done += more
    return 0 if done < tracing.BATCH else done


async def ask_people() -> int:
    """Letters to those whom a waiting step asks. Every 2 seconds. Returns how many steps and letters."""
    return await mailing.ask_people()


async def watch_rollouts() -> int:
    """End rollouts whose new version fails too often. Every 5 seconds. Returns how many."""
    return await rollouts.watch()


JOBS: tuple[Job, ...] = (
    (forget_old_runs, 600),
    (forget_kept_results, 600),
    (forget_values, 600),
    (variables.forget_sets, 600),
)
LOOKS: tuple[Job, ...] = (
    (news.tell_untold, 1),
    (write_down_words, 3),
    (send_spans, 5),
    (ask_people, 2),
    (watch_rollouts, 5),
)
"""What somebody waits for: triggers on ends of runs, what is searched, spans in a tracing tool, a letter that asks."""
