//! Statements of the hot path: how rows of one kind are written.
//!
//! Each kind of row is written in two ways. An embedded database gets one statement for each row,
//! with a fixed text that its connection prepares once. A database behind a network gets all rows
//! of a commit at once: a list for each column, so that the text does not depend on their number.
//! Left to others: putting the statements of a commit together (`commit`).

use std::borrow::Cow;

use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

/// All rows of one kind as one statement.
pub(crate) type Fragment<'a> = Box<dyn QueryFragment<Pg> + 'a>;

/// Rows that are written by the same statement.
pub(crate) trait Row<'a>: QueryFragment<Sqlite> + QueryId + Sized {
    /// Turns rows into a list for each column, and these into one statement.
    fn gather(rows: Vec<Self>) -> Fragment<'a>;
}

/// Writes `first, second, …`, each as `write` says.
macro_rules! separated {
    ($out:expr, $between:literal, $first:expr $(, $rest:expr)*) => {
        $out.push_sql($first);
        $( $out.push_sql($between); $out.push_sql($rest); )*
    };
}
pub(crate) use separated;

/// Binds the list of a column.
macro_rules! bind_list {
    ($out:expr, $type:ty, $list:expr) => {
        $out.push_bind_param::<diesel::sql_types::Array<$type>, _>($list)?
    };
}
pub(crate) use bind_list;

/// What is written to PostgreSQL in place of a value. Its texts hold every character but NUL, and
/// one NUL must not hold up the commit of many executions.
pub(crate) trait Storable {
    type Stored;
    fn into_stored(self) -> Self::Stored;
}

macro_rules! stored_as_it_is {
    ($($rust:ty),*) => {$(
        impl<'a> Storable for $rust {
            type Stored = Self;
            fn into_stored(self) -> Self {
                self
            }
        }
    )*};
}
stored_as_it_is!(
    bool,
    Option<bool>,
    i16,
    i32,
    i64,
    Option<i64>,
    &'a [u8],
    Option<&'a [u8]>,
    Cow<'a, [u8]>
);

impl<'a> Storable for &'a str {
    type Stored = Cow<'a, str>;
    fn into_stored(self) -> Self::Stored {
        if self.contains('\0') {
            self.replace('\0', "\u{FFFD}").into()
        } else {
            self.into()
        }
    }
}

impl Storable for String {
    type Stored = Self;
    fn into_stored(self) -> Self {
        match self.as_str().into_stored() {
            Cow::Borrowed(_) => self,
            Cow::Owned(replaced) => replaced,
        }
    }
}

impl<'a> Storable for Option<&'a str> {
    type Stored = Option<Cow<'a, str>>;
    fn into_stored(self) -> Self::Stored {
        self.map(Storable::into_stored)
    }
}

impl Storable for Option<String> {
    type Stored = Self;
    fn into_stored(self) -> Self {
        self.map(Storable::into_stored)
    }
}

/// The rows of a kind turned round.
macro_rules! columns_of {
    ($row:ident { $($column:ident: $rust:ty,)+ }) => {
        /// A list for each column.
        struct Columns<'a> {
            $($column: Vec<<$rust as $crate::statement::Storable>::Stored>,)+
            _borrowed: std::marker::PhantomData<&'a ()>,
        }

        impl<'a> From<Vec<$row<'a>>> for Columns<'a> {
            fn from(rows: Vec<$row<'a>>) -> Self {
                let mut columns = Self {
                    $($column: Vec::with_capacity(rows.len()),)+
                    _borrowed: std::marker::PhantomData,
                };
                for row in rows {
                    $(columns.$column.push($crate::statement::Storable::into_stored(row.$column));)+
                }
                columns
            }
        }

        impl<'a> $crate::statement::Row<'a> for $row<'a> {
            fn gather(rows: Vec<Self>) -> $crate::statement::Fragment<'a> {
                Box::new(Columns::from(rows))
            }
        }
    };
}
pub(crate) use columns_of;

/// An INSERT into a table, as a struct with a field for each column.
macro_rules! insert_statement {
    (
        $(#[$doc:meta])*
        $name:ident: $table:literal $($end:literal)?
        { $first:ident: $first_type:ty => $first_rust:ty,
          $($column:ident: $type:ty => $rust:ty,)* }
    ) => {
        $(#[$doc])*
        pub(crate) struct $name<'a> {
            pub(crate) $first: $first_rust,
            $(pub(crate) $column: $rust,)*
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl<'a> diesel::query_builder::QueryFragment<diesel::sqlite::Sqlite> for $name<'a> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
            ) -> diesel::QueryResult<()> {
                out.push_sql(concat!("INSERT INTO ", $table, " ("));
                $crate::statement::separated!(
                    out, ", ", stringify!($first) $(, stringify!($column))*
                );
                out.push_sql(") VALUES (");
                out.push_bind_param::<$first_type, _>(&self.$first)?;
                $(
                    out.push_sql(", ");
                    out.push_bind_param::<$type, _>(&self.$column)?;
                )*
                out.push_sql(concat!(")" $(, " ", $end)?));
                Ok(())
            }
        }

        impl<C> diesel::RunQueryDsl<C> for $name<'_> {}

        const _: () = {
            $crate::statement::columns_of!($name {
                $first: $first_rust, $($column: $rust,)*
            });

            impl<'a> diesel::query_builder::QueryFragment<diesel::pg::Pg> for Columns<'a> {
                fn walk_ast<'b>(
                    &'b self,
                    mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
                ) -> diesel::QueryResult<()> {
                    out.push_sql(concat!("INSERT INTO ", $table, " ("));
                    $crate::statement::separated!(
                        out, ", ", stringify!($first) $(, stringify!($column))*
                    );
                    out.push_sql(") SELECT * FROM unnest(");
                    $crate::statement::bind_list!(out, $first_type, &self.$first);
                    $(
                        out.push_sql(", ");
                        $crate::statement::bind_list!(out, $type, &self.$column);
                    )*
                    out.push_sql(concat!(")" $(, " ", $end)?));
                    Ok(())
                }
            }
        };
    };
}
pub(crate) use insert_statement;

/// An UPDATE of one row by its key, as a struct with a field for each column. Those to `keep` stay
/// as they are where the value is NULL. diesel never keeps a prepared UPDATE of its own.
macro_rules! update_statement {
    (
        $(#[$doc:meta])*
        $name:ident: $table:literal
        set { $first:ident: $first_type:ty => $first_rust:ty,
              $($column:ident: $type:ty => $rust:ty,)* }
        $(keep { $($kept:ident: $kept_type:ty => $kept_rust:ty,)+ })?
        by { $first_key:ident: $first_key_type:ty => $first_key_rust:ty,
             $($key:ident: $key_type:ty => $key_rust:ty,)* }
    ) => {
        $(#[$doc])*
        pub(crate) struct $name<'a> {
            pub(crate) $first: $first_rust,
            $(pub(crate) $column: $rust,)*
            $($(pub(crate) $kept: $kept_rust,)+)?
            pub(crate) $first_key: $first_key_rust,
            $(pub(crate) $key: $key_rust,)*
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl<'a> diesel::query_builder::QueryFragment<diesel::sqlite::Sqlite> for $name<'a> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
            ) -> diesel::QueryResult<()> {
                out.push_sql(concat!("UPDATE ", $table, " SET ", stringify!($first), " = "));
                out.push_bind_param::<$first_type, _>(&self.$first)?;
                $(
                    out.push_sql(concat!(", ", stringify!($column), " = "));
                    out.push_bind_param::<$type, _>(&self.$column)?;
                )*
                $($(
                    out.push_sql(concat!(", ", stringify!($kept), " = coalesce("));
                    out.push_bind_param::<$kept_type, _>(&self.$kept)?;
                    out.push_sql(concat!(", ", stringify!($kept), ")"));
                )+)?
                out.push_sql(concat!(" WHERE ", stringify!($first_key), " = "));
                out.push_bind_param::<$first_key_type, _>(&self.$first_key)?;
                $(
                    out.push_sql(concat!(" AND ", stringify!($key), " = "));
                    out.push_bind_param::<$key_type, _>(&self.$key)?;
                )*
                Ok(())
            }
        }

        impl<C> diesel::RunQueryDsl<C> for $name<'_> {}

        const _: () = {
            $crate::statement::columns_of!($name {
                $first: $first_rust, $($column: $rust,)* $($($kept: $kept_rust,)+)?
                $first_key: $first_key_rust, $($key: $key_rust,)*
            });

            impl<'a> diesel::query_builder::QueryFragment<diesel::pg::Pg> for Columns<'a> {
                fn walk_ast<'b>(
                    &'b self,
                    mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
                ) -> diesel::QueryResult<()> {
                    out.push_sql(concat!(
                        "UPDATE ", $table, " AS old SET ",
                        stringify!($first), " = new.", stringify!($first),
                        $(", ", stringify!($column), " = new.", stringify!($column),)*
                        $($(", ", stringify!($kept), " = coalesce(new.", stringify!($kept),
                            ", old.", stringify!($kept), ")",)+)?
                        " FROM unnest("
                    ));
                    $crate::statement::bind_list!(out, $first_type, &self.$first);
                    $(
                        out.push_sql(", ");
                        $crate::statement::bind_list!(out, $type, &self.$column);
                    )*
                    $($(
                        out.push_sql(", ");
                        $crate::statement::bind_list!(out, $kept_type, &self.$kept);
                    )+)?
                    out.push_sql(", ");
                    $crate::statement::bind_list!(out, $first_key_type, &self.$first_key);
                    $(
                        out.push_sql(", ");
                        $crate::statement::bind_list!(out, $key_type, &self.$key);
                    )*
                    out.push_sql(concat!(
                        ") AS new (",
                        stringify!($first), $(", ", stringify!($column),)*
                        $($(", ", stringify!($kept),)+)?
                        ", ", stringify!($first_key), $(", ", stringify!($key),)*
                        ") WHERE old.", stringify!($first_key), " = new.", stringify!($first_key),
                        $(" AND old.", stringify!($key), " = new.", stringify!($key),)*
                    ));
                    Ok(())
                }
            }
        };
    };
}
pub(crate) use update_statement;
