//! All integration tests, as one binary: linking is most of what such a binary costs.

// Under `cfg(test)` clippy knows the functions that serve tests as test code, too.
#[cfg(test)]
mod layering;
#[cfg(test)]
mod source_tree;
#[cfg(test)]
mod standards;

#[cfg(test)]
mod cli;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod process;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod token;
