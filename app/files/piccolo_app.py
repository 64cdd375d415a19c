"""Piccolo's view of this domain; its migrations are in migrations/files."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from app.files.tables import WorkspaceFile

APP_CONFIG = AppConfig(
    app_name="files",
    migrations_folder_path=str(Path(__file__).parents[2] / "migrations" / "files"),
    table_classes=[WorkspaceFile],
)
