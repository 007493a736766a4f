//! How a table of the settings is declared: once, with its keys, their types, defaults and ranges, and the text that
//! explains them to readers of the code and of `config/grantd.toml` alike.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::fault::Problem;
use crate::config::shaped::{Section, Stated};
use crate::config::value;
use crate::domain::timestamp::Seconds;

/// A declared table as the example file and the environment see it.
pub(super) struct Table {
    /// Empty for the keys that stand outside any table.
    pub(super) name: &'static str,
    /// The lines of its doc comment.
    pub(super) doc: &'static [&'static str],
    pub(super) keys: &'static [&'static str],
    pub(super) explained: fn() -> Vec<Key>,
}

/// A key of a table, explained.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// The lines of its doc comment.
    pub(super) doc: &'static [&'static str],
    /// What stands before it in the example file.
    pub(super) mark: &'static str,
    /// The value that the example file shows, as TOML.
    pub(super) value: String,
    /// The least and the most, as TOML.
    pub(super) range: Option<[String; 2]>,
}

/// What `section!` makes of a declaration.
pub(super) trait Declared: Default {
    const NAME: &'static str;
    const DOC: &'static [&'static str];
    const KEYS: &'static [&'static str];

    fn explained() -> Vec<Key>;

    /// Reads every key; one that is absent or wrong (then it is reported) has its default. Paths are relative to
    /// `base`.
    fn read(table: &mut Section<'_>, base: &Path) -> Self;
}

impl Table {
    pub(super) const fn of<T: Declared>() -> Self {
        Self {
            name: T::NAME,
            doc: T::DOC,
            keys: T::KEYS,
            explained: T::explained,
        }
    }
}

/// `value` as TOML.
pub(super) fn toml(value: impl Serialize) -> String {
    toml::Value::try_from(value).map_or_else(|_| String::new(), |value| value.to_string())
}

/// What has ranges, and what a fault calls it.
pub(super) trait Ranged: PartialOrd + Display {
    const WHAT: &'static str = "a number";
}
impl Ranged for u32 {}
impl Ranged for u64 {}
impl Ranged for usize {}
impl Ranged for Seconds {
    const WHAT: &'static str = "a duration";
}

/// What was read, where it is in `range`.
pub(super) fn within<T: Ranged>(
    read: Result<T, Problem>,
    range: &RangeInclusive<T>,
) -> Result<T, Problem> {
    match read {
        Ok(value) if range.contains(&value) => Ok(value),
        Ok(_) | Err(Problem::Value(_)) => Err(Problem::Range {
            what: T::WHAT,
            least: range.start().to_string(),
            most: range.end().to_string(),
        }),
        Err(other) => Err(other),
    }
}

/// What `fit` makes of the value of `key`; paths are relative to `base`.
pub(super) fn read<T: DeserializeOwned, F>(
    table: &mut Section<'_>,
    (key, base): (&'static str, &Path),
    fit: impl FnOnce(Result<T, Problem>, &Path) -> Result<F, Problem>,
) -> Option<F> {
    table.key(key, |read| fit(read, base))
}

/// What paths on `line` are relative to: in a variable, which has none, to the working directory.
pub(super) fn base_of(line: usize, base: &Path) -> &Path {
    if line == 0 { Path::new("") } else { base }
}

pub(super) fn path(text: Stated<String>, base: &Path) -> Result<Option<PathBuf>, Problem> {
    value::path(base_of(text.line, base), text.value).map(Some)
}

pub(super) fn paths(texts: Stated<Vec<String>>, base: &Path) -> Result<Vec<PathBuf>, Problem> {
    let path = |text| value::path(base_of(texts.line, base), text);
    texts.value.into_iter().map(path).collect()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "what is read is the key's own"
)]
pub(super) fn address(text: String, _: &Path) -> Result<SocketAddr, Problem> {
    text.parse().map_err(|_| {
        Problem::Expected("an IP address and a port, for example 127.0.0.1:8080 or [::1]:8080")
    })
}

/// Declares a table: `name: Type = default, in least..=most;`. The default is the type's own where none is given. `by`
/// names what makes the value of another type, which is read. `written` is what the example file sets, `shown` what it
/// shows in a comment; without either it shows the default.
macro_rules! section {
    ($(#[doc = $doc:literal])* $vis:vis struct $name:ident = $table:literal {$(
        $(#[doc = $text:literal])*
        $key:ident: $type:ty $(= $default:expr)? $(, in $range:expr)? $(, by $read:expr)?
            $(, written $written:literal)? $(, shown $shown:literal)?;
    )+}) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        $vis struct $name {$(
            $(#[doc = $text])*
            ///
            #[doc = concat!("The key `", stringify!($key), "`.")]
            $vis $key: $type,
        )+}

        impl Default for $name {
            fn default() -> Self {
                Self {$(
                    $key: $crate::config::settings::declare::section!(@default $($default)?),
                )+}
            }
        }

        const _: () = {
            use std::path::Path;

            use $crate::config::settings::declare::{self, Declared, Key, section};
            use $crate::config::shaped::Section;

            impl Declared for $name {
                const NAME: &'static str = $table;
                const DOC: &'static [&'static str] = &[$($doc),*];
                const KEYS: &'static [&'static str] = &[$(stringify!($key)),+];

                fn explained() -> Vec<Key> {
                    let default = Self::default();
                    vec![$({
                        let (mark, value) =
                            section!(@value default.$key; $(written $written)? $(shown $shown)?);
                        Key {
                            name: stringify!($key),
                            doc: &[$($text),*],
                            mark,
                            value,
                            range: section!(@range $($range)?),
                        }
                    }),+]
                }

                fn read(table: &mut Section<'_>, base: &Path) -> Self {
                    let default = Self::default();
                    Self {$(
                        $key: declare::read(
                            table,
                            (stringify!($key), base),
                            section!(@fit $(in $range)? $(by $read)?),
                        )
                        .unwrap_or(default.$key),
                    )+}
                }
            }
        };
    };
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
    (@value $default:expr;) => { ("# default: ", declare::toml(&$default)) };
    (@value $default:expr; written $value:literal) => { ("", $value.to_owned()) };
    (@value $default:expr; shown $value:literal) => { ("# ", $value.to_owned()) };
    (@range) => { None };
    (@range $range:expr) => { Some([$range.start(), $range.end()].map(declare::toml)) };
    (@fit) => { |read, _| read };
    (@fit in $range:expr) => { |read, _| declare::within(read, &($range)) };
    (@fit by $read:expr) => { |read, base| $read(read?, base) };
}
pub(super) use section;
