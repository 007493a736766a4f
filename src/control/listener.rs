//! The control listener, served like any other listener.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use super::entrance::Entrance;
use super::input::BODY;
use super::routes::all;
use super::state::{Control, World};
use super::surrounded::surrounded;
use super::watch::watched;
use crate::config::settings::Limits;
use crate::http::routes::Routes;
use crate::server::bounds::Bounds;
use crate::server::replica::Replica;
use crate::server::room::Room;
use crate::server::serve::{Listener, Stops};

/// Its name in log lines.
const NAME: &str = "control";
/// A request may wait for others, as long as a test runs.
const LONGEST_REQUEST: Duration = Duration::from_hours(1);
/// Tests that run side by side, each with a connection or some.
const CONNECTIONS: usize = 512;

/// What answers those who come in by `entrance`, and steers `replica`; and the public routes of that, which it looks at.
///
/// # Errors
/// The entrance has no address.
pub fn routers(
    replica: &Replica,
    entrance: &Entrance,
    world: World,
) -> io::Result<(Router, Routes)> {
    let (answering, routes) = all().parts();
    let control = Control::new(replica, (entrance, routes), world)?;
    let public = watched(replica.routes.clone(), control.clone());
    Ok((surrounded(answering, control), public))
}

/// The replica with the control listener, which ends when all others have.
///
/// # Errors
/// As [`routers`].
pub fn steer(replica: Replica, entrance: Entrance, world: World) -> io::Result<Replica> {
    let bounds = Bounds {
        connections: CONNECTIONS,
        requests: CONNECTIONS + CONNECTIONS / 4,
        shared_bytes: 16 * BODY.bytes,
        stall_time: LONGEST_REQUEST,
        body_bytes: BODY.bytes,
        ..Bounds::of(&Limits::default())
    };
    let (service, public) = routers(&replica, &entrance, world)?;
    let listener = Listener {
        name: NAME,
        service,
        sockets: entrance.sockets,
        tls: None,
        room: Room::new(bounds),
        traffic: Arc::default(),
        stops: Stops::Last,
    };
    Ok(replica.answering_by(public).listening_also(listener))
}
