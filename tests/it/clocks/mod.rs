//! Clocks that are wrong, and a database that loses a part of its past (DESIGN section 1, clocks and forgetting).

mod apart;
mod forgetting;
mod keys;
mod lost_past;
mod written;
