from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

import migrations.accounts

APP_CONFIG = AppConfig(
    app_name="accounts",
    migrations_folder_path=str(Path(migrations.accounts.__file__).parent),
    table_classes=table_finder(["app.accounts.tables"]),
)
