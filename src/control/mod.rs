//! What only `grantd dev` has: the control interface, by which tests steer it over HTTP (everything below `/_test`), and
//! answers for web pages (`--cors`).
//!
//! No other command has either: this room stands to the right of `server`, which runs its listener like any other and knows
//! nothing of it, and only `cli::dev` may name it (`tests/it/layering`).
//!
//! A path is one entry of `routes`, made in the file that answers it. What its handler takes and
//! gives are types; they say how a request is read, what is wrong with it, and what `/_test/openapi.json` tells of it, so
//! that the three cannot differ.

mod answer;
mod battery;
mod catalog;
mod changing;
mod client_card;
mod client_keys;
mod clients;
mod clock;
mod description;
mod door;
mod endpoint;
mod endpoint_urls;
mod entrance;
mod fault;
mod faults;
mod handler;
mod index;
mod input;
mod issuers;
mod json;
mod keys;
mod known_secrets;
mod listener;
mod mint;
mod openapi;
mod pages;
mod requests;
mod reset;
mod route;
mod routes;
mod span;
mod state;
mod steered_clock;
mod strangers;
mod surrounded;
mod table;
mod tokens;
mod waiting;
mod waste;
mod watch;

pub use entrance::Entrance;
pub use listener::{routers, steer};
pub use pages::for_pages;
pub use state::{Held, Text, World};

#[cfg(test)]
mod tests;
