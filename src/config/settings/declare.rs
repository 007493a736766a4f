//! How a table of the settings is declared: once, with its keys, their types, defaults and ranges, and the text that
//! explains them to readers of the code and of `config/grantd.toml` alike.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use crate::config::document::Located;
use crate::config::fault::Problem;
use crate::config::section::Section;
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
    /// What holds without it, as TOML; none: nothing does.
    pub(super) default: Option<String>,
    /// The least and the most, as TOML.
    pub(super) range: Option<[String; 2]>,
    /// The value that the example file sets.
    pub(super) written: Option<&'static str>,
    /// The value that the example file shows in a comment.
    pub(super) shown: Option<&'static str>,
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

/// A value that one key holds, as it is read and as the example file shows it.
pub(super) trait Value: Sized {
    fn read(value: Located, base: &Path) -> Result<Self, Problem>;
    fn toml(&self) -> String;
}

/// A value that has a least and a most.
pub(super) trait Ranged: Value {
    fn within(value: Located, range: &RangeInclusive<Self>) -> Result<Self, Problem>;
}

/// How one value of a key is read.
pub(super) type Read<'r, T> = &'r dyn Fn(Located) -> Result<T, Problem>;

/// What a key may hold: a value, a list of them, or none.
pub(super) trait Entry: Sized {
    /// One value.
    type One;

    /// None where the key is absent or wrong.
    fn take(table: &mut Section<'_>, key: &str, read: Read<'_, Self::One>) -> Option<Self>;

    fn toml(&self) -> Option<String>;
}

impl<T: Value> Entry for T {
    type One = T;

    fn take(table: &mut Section<'_>, key: &str, read: Read<'_, T>) -> Option<T> {
        table.read(key, read)
    }

    fn toml(&self) -> Option<String> {
        Some(Value::toml(self))
    }
}

impl<T> Entry for Option<T> {
    type One = T;

    fn take(table: &mut Section<'_>, key: &str, read: Read<'_, T>) -> Option<Self> {
        table.read(key, read).map(Some)
    }

    fn toml(&self) -> Option<String> {
        None
    }
}

impl<T> Entry for Vec<T> {
    type One = T;

    fn take(table: &mut Section<'_>, key: &str, read: Read<'_, T>) -> Option<Self> {
        table.list(key, read)
    }

    /// No list has members by default.
    fn toml(&self) -> Option<String> {
        Some("[]".to_owned())
    }
}

impl Value for PathBuf {
    fn read(value: Located, base: &Path) -> Result<Self, Problem> {
        value::path(base)(value)
    }

    fn toml(&self) -> String {
        quoted(self.display())
    }
}

/// Types whose values are written and read alike, wherever they stand.
macro_rules! values {
    ($($type:ty: $read:expr, $toml:literal;)+) => {$(
        impl Value for $type {
            fn read(value: Located, _: &Path) -> Result<Self, Problem> {
                $read(value)
            }

            fn toml(&self) -> String {
                format!($toml, self)
            }
        }
    )+};
}
values! {
    bool: value::boolean, "{}";
    String: value::text, "\"{}\"";
    SocketAddr: address, "\"{}\"";
    IpNet: value::network, "\"{}\"";
    Seconds: value::duration(0..=u32::MAX), "\"{}\"";
}

fn address(value: Located) -> Result<SocketAddr, Problem> {
    let text = value::text(value)?;
    text.parse().map_err(|_| {
        Problem::Expected("an IP address and a port, for example 127.0.0.1:8080 or [::1]:8080")
    })
}

impl Ranged for Seconds {
    fn within(value: Located, range: &RangeInclusive<Self>) -> Result<Self, Problem> {
        value::duration(range.start().get()..=range.end().get())(value)
    }
}

/// The whole numbers.
macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl Value for $number {
            fn read(value: Located, _: &Path) -> Result<Self, Problem> {
                Self::within(value, &(Self::MIN..=Self::MAX))
            }

            fn toml(&self) -> String {
                self.to_string()
            }
        }

        impl Ranged for $number {
            fn within(value: Located, range: &RangeInclusive<Self>) -> Result<Self, Problem> {
                let wide = |number: Self| u64::try_from(number).unwrap_or(u64::MAX);
                let number = value::number(wide(*range.start())..=wide(*range.end()))(value)?;
                Ok(Self::try_from(number).unwrap_or(Self::MAX))
            }
        }
    )+};
}
numbers!(u32, u64, usize);

/// The enums whose variants are names.
macro_rules! names {
    ($($name:ty),+) => {$(
        impl $crate::config::settings::declare::Value for $name {
            fn read(
                value: $crate::config::document::Located,
                _: &std::path::Path,
            ) -> Result<Self, $crate::config::fault::Problem> {
                $crate::config::value::one_of(Self::ALL, Self::as_str)(value)
            }

            fn toml(&self) -> String {
                $crate::config::settings::declare::quoted(self)
            }
        }
    )+};
}
pub(super) use names;

pub(super) fn quoted(value: impl std::fmt::Display) -> String {
    format!("\"{value}\"")
}

/// The kind of value that `E` holds one of.
pub(super) fn read_one<E: Entry<One: Value>>(
    value: Located,
    base: &Path,
) -> Result<E::One, Problem> {
    E::One::read(value, base)
}

/// As [`read_one`], for a value in a range.
pub(super) fn read_within<E: Entry<One: Ranged>>(
    value: Located,
    _: &Path,
    range: &RangeInclusive<E::One>,
) -> Result<E::One, Problem> {
    E::One::within(value, range)
}

/// The least and the most of a range.
pub(super) fn ends<E: Entry<One: Ranged>>(range: &RangeInclusive<E::One>) -> [String; 2] {
    [range.start(), range.end()].map(Value::toml)
}

/// Declares a table: `name: Type = default, in least..=most;`. The default is the type's own where none is given. `by`
/// names another reader than the type's. `written` is what the example file sets, `shown` what it shows in a comment;
/// without either it shows the default.
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

            use $crate::config::section::Section;
            use $crate::config::settings::declare::{Declared, Entry, Key, section};

            impl Declared for $name {
                const NAME: &'static str = $table;
                const DOC: &'static [&'static str] = &[$($doc),*];
                const KEYS: &'static [&'static str] = &[$(stringify!($key)),+];

                fn explained() -> Vec<Key> {
                    let default = Self::default();
                    vec![$(Key {
                        name: stringify!($key),
                        doc: &[$($text),*],
                        default: Entry::toml(&default.$key),
                        range: section!(@range $type; $($range)?),
                        written: section!(@option $($written)?),
                        shown: section!(@option $($shown)?),
                    }),+]
                }

                fn read(table: &mut Section<'_>, base: &Path) -> Self {
                    let default = Self::default();
                    Self {$(
                        $key: Entry::take(table, stringify!($key), &|value| {
                            section!(@read $type, value, base; $(in $range)? $(by $read)?)
                        })
                        .unwrap_or(default.$key),
                    )+}
                }
            }
        };
    };
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
    (@option) => { None };
    (@option $value:literal) => { Some($value) };
    (@range $type:ty;) => { None };
    (@range $type:ty; $range:expr) => {
        Some($crate::config::settings::declare::ends::<$type>(&($range)))
    };
    (@read $type:ty, $value:ident, $base:ident;) => {
        $crate::config::settings::declare::read_one::<$type>($value, $base)
    };
    (@read $type:ty, $value:ident, $base:ident; in $range:expr) => {
        $crate::config::settings::declare::read_within::<$type>($value, $base, &($range))
    };
    (@read $type:ty, $value:ident, $base:ident; by $read:expr) => { $read($value, $base) };
}
pub(super) use section;
