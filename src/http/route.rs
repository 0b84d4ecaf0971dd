//! Rows of the tables that are the surface of a face.

use axum::Router;
use axum::routing::MethodRouter;

/// One row of a surface.
#[derive(Debug)]
pub struct Route<S> {
    /// The methods it takes, HEAD aside, which goes with GET.
    pub methods: &'static [&'static str],
    /// The path as axum matches it, in the one spelling that [`super::Edge`] makes of scoped names.
    pub path: &'static str,
    handler: MethodRouter<S>,
}

/// Makes a row.
pub fn row<S>(methods: &'static [&'static str], path: &'static str, handler: MethodRouter<S>) -> Route<S> {
    Route { methods, path, handler }
}

/// The router over a table.
pub fn router_over<S: Clone + Send + Sync + 'static>(routes: Vec<Route<S>>) -> Router<S> {
    routes.into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handler))
}
