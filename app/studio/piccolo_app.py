from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

import migrations.studio

APP_CONFIG = AppConfig(
    app_name="studio",
    migrations_folder_path=str(Path(migrations.studio.__file__).parent),
    table_classes=table_finder(["app.studio.tables"]),
)
