"""Pages of the studio and what the editor sends."""

from typing import Any

from app.studio.controllers.breakpoints import BreakpointsController
from app.studio.controllers.comments import CommentsController, MentionsController
from app.studio.controllers.editing import EditingController
from app.studio.controllers.editor import EditorController
from app.studio.controllers.environments import EnvironmentsController, StagesController
from app.studio.controllers.exposing import ExposingController, ExposureController
from app.studio.controllers.flows import FlowsController
from app.studio.controllers.history import HistoryController
from app.studio.controllers.outline import OutlineController
from app.studio.controllers.panel import PanelController
from app.studio.controllers.pins import PinsController
from app.studio.controllers.rollouts import ApprovalsController, RolloutController
from app.studio.controllers.sharing import FlowSharesController, SharedFlowController
from app.studio.controllers.shelf import ShelfController
from app.studio.controllers.step_docs import StepDocsController
from app.studio.controllers.tries import TriesController
from app.studio.controllers.variables import VariablesController
from app.studio.controllers.versions import VersionsController
from app.studio.schema_samples import SchemaSamplesController
from app.studio.touring import TourController

routes: list[Any] = [
    EditorController,
    EditingController,
    OutlineController,
    PanelController,
    ExposingController,
    ExposureController,
    FlowsController,
    ShelfController,
    CommentsController,
    MentionsController,
    TriesController,
    VersionsController,
    HistoryController,
    RolloutController,
    ApprovalsController,
    FlowSharesController,
    SharedFlowController,
    EnvironmentsController,
    StagesController,
    VariablesController,
    PinsController,
    BreakpointsController,
    StepDocsController,
    TourController,
    SchemaSamplesController,
]
