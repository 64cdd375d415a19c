from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

import migrations.checks

APP_CONFIG = AppConfig(
    app_name="checks",
    migrations_folder_path=str(Path(migrations.checks.__file__).parent),
    table_classes=table_finder(["app.checks.tables"]),
)
