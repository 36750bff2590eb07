//! Statements of the hot path that diesel would prepare anew each time.
//!
//! diesel never keeps a prepared UPDATE. These have a fixed text, so each connection prepares them
//! once. They stay portable: diesel writes the placeholders and binds the values.

/// An UPDATE of one row by its key, as a struct with a field for each column.
macro_rules! update_statement {
    (
        $(#[$doc:meta])*
        $name:ident: $table:literal
        set { $first:ident: $first_type:ty => $first_rust:ty,
              $($column:ident: $column_type:ty => $rust:ty,)* }
        by { $first_key:ident: $first_key_type:ty => $first_key_rust:ty,
             $($key:ident: $key_type:ty => $key_rust:ty,)* }
    ) => {
        $(#[$doc])*
        pub(crate) struct $name<'a> {
            pub(crate) $first: $first_rust,
            $(pub(crate) $column: $rust,)*
            pub(crate) $first_key: $first_key_rust,
            $(pub(crate) $key: $key_rust,)*
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl<'a, DB> diesel::query_builder::QueryFragment<DB> for $name<'a>
        where
            DB: diesel::backend::Backend
                + diesel::sql_types::HasSqlType<$first_type>
                + diesel::sql_types::HasSqlType<$first_key_type>
                $(+ diesel::sql_types::HasSqlType<$column_type>)*
                $(+ diesel::sql_types::HasSqlType<$key_type>)*,
            $first_rust: diesel::serialize::ToSql<$first_type, DB>,
            $first_key_rust: diesel::serialize::ToSql<$first_key_type, DB>,
            $($rust: diesel::serialize::ToSql<$column_type, DB>,)*
            $($key_rust: diesel::serialize::ToSql<$key_type, DB>,)*
        {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, DB>,
            ) -> diesel::QueryResult<()> {
                out.push_sql(concat!("UPDATE ", $table, " SET ", stringify!($first), " = "));
                out.push_bind_param::<$first_type, _>(&self.$first)?;
                $(
                    out.push_sql(concat!(", ", stringify!($column), " = "));
                    out.push_bind_param::<$column_type, _>(&self.$column)?;
                )*
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
    };
}
pub(crate) use update_statement;

/// Inserts rows, one after the other with one prepared statement. In a transaction of an embedded
/// database that is as good as many rows in one statement, whose text would change with their
/// number; a database behind a network wants the other way, in an arm of its own.
macro_rules! insert_rows {
    ($conn:expr, $table:expr, $rows:expr) => {
        $rows.iter().try_for_each(|row| {
            $crate::connection::both!(&mut *$conn, |c| diesel::insert_into($table)
                .values(row)
                .execute(c)
                .map(drop))
        })
    };
}
pub(crate) use insert_rows;
