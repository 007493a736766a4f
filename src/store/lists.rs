//! Conditions on many rows, for statements that sqlx's builder makes.

/// Pushes `column IN (…)`.
macro_rules! listed {
    ($statement:ident, $column:literal, $ids:expr) => {
        $statement.push(concat!($column, " IN ("));
        let mut list = $statement.separated(", ");
        for id in $ids {
            list.push_bind(id.as_str());
        }
        $statement.push(")");
    };
}

/// Pushes `(one = … AND other = …) OR …`: SQLite uses an index for that, and none for a list of pairs.
macro_rules! paired {
    ($statement:ident, ($one:literal, $other:literal), $pairs:expr) => {
        let mut pairs = $statement.separated(" OR ");
        for (one, other) in $pairs {
            pairs
                .push(concat!("(", $one, " = "))
                .push_bind_unseparated(one.as_str())
                .push_unseparated(concat!(" AND ", $other, " = "))
                .push_bind_unseparated(other.as_str())
                .push_unseparated(")");
        }
    };
}
pub(super) use {listed, paired};
