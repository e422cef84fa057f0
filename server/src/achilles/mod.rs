//! The achilles contract: its CLI signs in by a device code and refreshes in its own shapes. Wire shapes only.

mod answer;
mod device;
mod me;
mod refresh;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;

/// The contract's routes. The CLI's other calls end at `me::elsewhere`.
pub fn routes() -> OpenApiRouter<Arc<AppState>> {
    OpenApiRouter::new()
        .routes(routes!(device::device_code))
        .routes(routes!(device::poll))
        .routes(routes!(refresh::refresh))
        .routes(routes!(me::me))
        .routes(routes!(me::metrics))
        .nest("/api/agent", OpenApiRouter::new().fallback(me::elsewhere))
        .nest("/api/analytics", OpenApiRouter::new().fallback(me::elsewhere))
}
