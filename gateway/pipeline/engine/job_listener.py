"""Procrastinate in a thread of its own: it is told of committed jobs at once (LISTEN/NOTIFY) and hands their streams on. It may fail, hang
or find its tables gone; it begins again, and meanwhile streams are found by their pokes.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future

import structlog
from procrastinate import App
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ProcrastinateException
from psycopg import Error as DriverError
from psycopg_pool import PoolTimeout
from sqlalchemy import URL

from gateway.store.working import jobs

#: jobs that one process takes up at a time: with more of them a busy process would keep work from an idle one
AT_ONCE = 8
#: seconds between two looks for jobs that nobody was told of
LOOK = 5.0
#: seconds before it begins again
AGAIN = 1.0
_OPEN_WITHIN = 10.0

_log = structlog.get_logger("jobs")


class JobListener:
    """Takes up jobs and offers their streams; a job is done when the stream had its turn."""

    def __init__(self, url: URL, offer: Callable[[str], "Future[None]"], heartbeat: float) -> None:
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._offer = offer
        self._heartbeat = heartbeat
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Take up nothing more; jobs under way are finished or left to others."""
        self._stopping.set()
        if self._loop is not None and self._end is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended by itself
                self._loop.call_soon_threadsafe(self._end.set)
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(_told)
        while not self._stopping.is_set():
            try:
                await self._listen(self._end)
            except (ProcrastinateException, DriverError, PoolTimeout, OSError) as error:
                _log.warning("jobs cannot be taken up", error=str(error.__cause__ or error).strip(), cure="it is tried again by itself")
            except Exception:  # noqa: BLE001  a fault in the library must not end the wake-ups for good; pokes are looked at meanwhile
                _log.exception("jobs cannot be taken up")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), AGAIN)

    async def _listen(self, end: asyncio.Event) -> None:
        options = f"-c search_path={jobs.SCHEMA} -c application_name=gateway-jobs"
        app = App(
            connector=PsycopgConnector(
                conninfo=self._url,
                kwargs={"options": options, "connect_timeout": 10},
                min_size=1,
                max_size=3,
                timeout=_OPEN_WITHIN,
                reconnect_timeout=5,
            )
        )
        app.task(name=jobs.TASK, queue=jobs.QUEUE)(self._serve)
        async with app.open_async():
            working = asyncio.create_task(
                app.run_worker_async(
                    queues=[jobs.QUEUE],
                    concurrency=AT_ONCE,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    fetch_job_polling_interval=LOOK,
                    update_heartbeat_interval=self._heartbeat,
                    shutdown_graceful_timeout=0.5,
                )
            )
            ending = asyncio.create_task(end.wait())
            try:
                await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
            finally:
                ending.cancel()
                working.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await working

    async def _serve(self, stream: str) -> None:
        await asyncio.wrap_future(self._offer(stream))


def _told(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """A job whose end could not be written down (the database was away, its row was wiped): nothing hangs on it."""
    error = context.get("exception")
    _log.warning("job not ended", error=str(error.__cause__ or error).strip() if isinstance(error, Exception) else str(context.get("message")))
