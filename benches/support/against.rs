//! Another build of grantd to measure beside this one.

/// The binary of another build to compare with, in place of the bare handler: `-- --against PATH`.
pub(crate) fn other() -> Option<String> {
    let mut arguments = std::env::args().skip_while(|it| it != "--against");
    arguments.next()?;
    Some(arguments.next().expect("a path after --against"))
}
