//! How a replica runs: what it tells its service manager, what it reads again, and how it ends (OPERATING section 9).

mod drain;
mod hangup;
mod inherited;
mod log_level;
mod migrating;
mod service_manager;
mod start;
mod traceparent;
