//! Brings the schema up to date, or says why it cannot be.

use diesel::RunQueryDsl as _;
use diesel::deserialize::QueryableByName;
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use crate::connection::{Conn, both};
use crate::dialect;
use crate::error::{Cause, Error};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// What opening a database has done to its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The newest migration before; `None` if there was no schema.
    pub from: Option<String>,
    /// The newest migration since.
    pub to: String,
}

/// Runs the migrations that the database has not seen. Each runs in a transaction, so a crash in
/// between leaves a schema that the next start completes.
pub(crate) fn migrate(conn: &mut Conn) -> Result<Migrated, Error> {
    dialect::check_schema(conn)?;
    dialect::lock_schema(conn)?;
    let done = migrate_locked(conn);
    dialect::unlock_schema(conn)?;
    done
}

fn migrate_locked(conn: &mut Conn) -> Result<Migrated, Error> {
    let (applied, known) = (applied(conn)?, known()?);
    check(applied.as_deref(), &known)?;
    match conn {
        Conn::Sqlite(c) => c.run_pending_migrations(SQLITE).map(drop),
        Conn::Postgres(c, _) => c.run_pending_migrations(POSTGRES).map(drop),
    }
    .map_err(sort)?;
    Ok(Migrated {
        from: applied.and_then(|applied| applied.last().cloned()),
        to: known.last().cloned().unwrap_or_default(),
    })
}

/// The newest migration of a database that is not brought up to date; one of a version that is not
/// known, or of another program, is refused.
pub(crate) fn version(conn: &mut Conn) -> Result<String, Error> {
    let (applied, known) = (applied(conn)?, known()?);
    let applied = applied.filter(|applied| !applied.is_empty());
    check(applied.as_deref(), &known)?;
    Ok(applied
        .and_then(|applied| applied.last().cloned())
        .unwrap_or_default())
}

/// Versions of this program's migrations, in order. They are the same for both databases.
fn known() -> Result<Vec<String>, Error> {
    let migrations: Vec<Box<dyn Migration<Sqlite>>> = SQLITE.migrations().map_err(sort)?;
    Ok(versions(&migrations))
}

fn versions<DB: diesel::backend::Backend>(migrations: &[Box<dyn Migration<DB>>]) -> Vec<String> {
    let mut versions: Vec<String> = migrations
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    versions.sort();
    versions
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Versions that the database has seen, in order; `None` if it has tables but never saw any.
fn applied(conn: &mut Conn) -> Result<Option<Vec<String>>, Error> {
    let tables = match conn {
        Conn::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table'",
        Conn::Postgres(..) => {
            "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()"
        }
    };
    let mut names = |sql: &str| -> Result<Vec<String>, Error> {
        let rows: Vec<Name> = both!(&mut *conn, |c| diesel::sql_query(sql).load(c))?;
        Ok(rows.into_iter().map(|row| row.name).collect())
    };
    let tables = names(tables)?;
    if tables.is_empty() {
        return Ok(Some(Vec::new()));
    }
    if !tables
        .iter()
        .any(|table| table == "__diesel_schema_migrations")
    {
        return Ok(None);
    }
    names("SELECT version AS name FROM __diesel_schema_migrations ORDER BY version").map(Some)
}

/// The migrations of the database must be the first ones of ours: others are of a newer version,
/// or of another program.
fn check(applied: Option<&[String]>, known: &[String]) -> Result<(), Error> {
    let wanted = || known.last().cloned().unwrap_or_default();
    let Some(applied) = applied else {
        return Err(Error::Schema {
            found: String::new(),
            wanted: wanted(),
        });
    };
    for (place, version) in applied.iter().enumerate() {
        if known.get(place) != Some(version) {
            return Err(Error::Schema {
                found: version.clone(),
                wanted: wanted(),
            });
        }
    }
    Ok(())
}

/// Errors of migrations come in boxes; what the database said may be inside.
fn sort(cause: Cause) -> Error {
    match cause.downcast::<diesel::result::Error>() {
        Ok(error) => dialect::classify(*error),
        Err(cause) => Error::Internal(cause),
    }
}

#[cfg(test)]
mod tests {
    use diesel::pg::Pg;

    use super::*;

    #[test]
    fn both_databases_have_the_same_migrations() {
        let of_postgres: Vec<Box<dyn Migration<Pg>>> = POSTGRES.migrations().unwrap();
        assert_eq!(versions(&of_postgres), known().unwrap());
    }

    #[test]
    fn only_a_beginning_of_our_migrations_is_brought_up_to_date() {
        let list = |versions: &[&str]| versions.iter().map(ToString::to_string).collect::<Vec<_>>();
        let known = list(&["0001", "0002", "0003", "0004"]);
        for (applied, odd) in [
            (Some(list(&[])), None),
            (Some(list(&["0001"])), None),
            (Some(list(&["0001", "0002", "0003", "0004"])), None),
            (
                Some(list(&["0001", "0002", "0003", "0004", "0005"])),
                Some("0005"),
            ),
            (Some(list(&["0001", "0003"])), Some("0003")),
            (
                Some(list(&["2020-01-01-000000"])),
                Some("2020-01-01-000000"),
            ),
            (None, Some("")),
        ] {
            let found = match check(applied.as_deref(), &known) {
                Ok(()) => None,
                Err(Error::Schema { found, wanted }) => {
                    assert_eq!(wanted, "0004");
                    Some(found)
                }
                Err(other) => panic!("{applied:?}: {other}"),
            };
            assert_eq!(found.as_deref(), odd, "{applied:?}");
        }
    }
}
