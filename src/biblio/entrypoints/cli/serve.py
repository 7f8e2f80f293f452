"""The server's parts one by one, for operators; `biblio up` starts the same ones."""

from typing import Annotated

import typer

from biblio.domain.flow import Queue
from biblio.entrypoints.cli.output import console, note
from biblio.entrypoints.cli.server import DataOption, data_folder, local_url
from biblio.errors import Misconfigured

ACCESS_LOG = False  # request lines would hold questions people asked


def api(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    data: DataOption = None,
) -> None:
    """Serve the HTTP API and the page."""
    import uvicorn

    from biblio.entrypoints.api.app import create_app
    from biblio.entrypoints.api.sockets import SERVER_OPTIONS
    from biblio.entrypoints.cli.local_library import running_settings
    from biblio.entrypoints.logs import set_up_logs

    settings = running_settings(data_folder(data))
    set_up_logs(settings.log)
    app = create_app(settings)
    options = {"access_log": ACCESS_LOG, "log_config": None, "timeout_graceful_shutdown": 4, **SERVER_OPTIONS}
    uvicorn.run(app, host=host, port=port, **options)


def worker(
    queue: Annotated[Queue, typer.Option(help="Whose jobs to do.")],
    processes: Annotated[int, typer.Option(min=1, help="How many videos at once.")] = 1,
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve /metrics there. (default: nowhere)", show_default=False)
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="The address for that.")] = "127.0.0.1",
    data: DataOption = None,
) -> None:
    """Do the jobs of one queue: media (sound out of video), ai (text and vectors) or index."""
    from biblio.entrypoints.cli.local_library import running_settings
    from biblio.entrypoints.logs import set_up_logs
    from biblio.entrypoints.worker.metrics import WorkerMetrics
    from biblio.entrypoints.worker.worker import run_worker

    settings = running_settings(data_folder(data))
    set_up_logs(settings.log)
    run_worker(settings, queue, processes=processes, metrics=WorkerMetrics(metrics_host, metrics_port))


def migrate(data: DataOption = None) -> None:
    """Make or update what the engines hold: tables, bucket, vector table, model weights."""
    from biblio.bootstrap import build, engines
    from biblio.entrypoints.cli.local_library import running_settings

    for name, engine in engines(build(running_settings(data_folder(data)))).items():
        engine.prepare()
        note(f"{name} is prepared")


def doctor(data: DataOption = None) -> None:
    """Try every configured engine with a real round trip, and say what is wrong and how to mend it."""
    from biblio.bootstrap import build, engines_apart
    from biblio.entrypoints.cli.local_library import running_settings
    from biblio.errors import BiblioError

    screen, healthy = console(), True
    services = build(running_settings(data_folder(data)))
    tried = engines_apart(services)
    width = max(len(name) for name in tried)
    for name, engine in tried.items():
        try:
            engine.ping()
        except BiblioError as error:
            healthy = False
            screen.print(f"✗ {name:<{width}} {error.message}", style="red", soft_wrap=True)
        else:
            screen.print(f"✓ {name:<{width}} works", style="green")
    for sentence in services.audio.shortcomings():
        screen.print(f"! {'audio':<{width}} {sentence}", style="yellow", soft_wrap=True)
    raise typer.Exit(0 if healthy else 1)


def link(data: DataOption = None) -> None:
    """Print a link that opens the running library's page and signs one browser in, once, within a day."""
    from biblio.bootstrap import build, close
    from biblio.entrypoints.cli.local_library import USER, running_settings, sign_in_link
    from biblio.pipeline.sign_in import new_token

    folder = data_folder(data)
    settings, page = running_settings(folder), local_url(folder)
    services = build(settings)
    try:
        with services.catalog.transaction() as tx:
            user_id = tx.users.id_of(USER)
        if user_id is None:
            raise Misconfigured(f"The library on {folder.path} has no user yet: start it with `biblio up`.")
        typer.echo(sign_in_link(page, new_token(services, user_id)))
    finally:
        close(services)


users = typer.Typer(help="Make users and their keys.", no_args_is_help=True)


@users.command("create")
def create_user(
    name: Annotated[str, typer.Argument(help="A name nobody has yet.")],
    data: DataOption = None,
) -> None:
    """Make a user and print their API key, once: only its digest is kept."""
    import secrets

    from biblio.bootstrap import build
    from biblio.entrypoints.cli.local_library import running_settings

    key = secrets.token_urlsafe(32)
    catalog = build(running_settings(data_folder(data))).catalog
    with catalog.transaction() as tx:
        tx.users.give_key(tx.users.add(name), key)
    catalog.close()
    note(f"The key of {name}; it is not shown again:")
    typer.echo(key)
