from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

import migrations.webhooks

APP_CONFIG = AppConfig(
    app_name="webhooks",
    migrations_folder_path=str(Path(migrations.webhooks.__file__).parent),
    table_classes=table_finder(["app.webhooks.tables"]),
)
