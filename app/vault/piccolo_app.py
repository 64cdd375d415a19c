"""Piccolo's view of this domain; its migrations are in migrations/vault."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from app.vault.tables import DataKey, VaultSecret

APP_CONFIG = AppConfig(
    app_name="vault",
    migrations_folder_path=str(Path(__file__).parents[2] / "migrations" / "vault"),
    table_classes=[DataKey, VaultSecret],
)
