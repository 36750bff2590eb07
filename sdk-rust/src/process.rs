//! How this process names itself to people.

use std::{env, fs, process};

/// Most bytes of what a caller says of itself.
pub(crate) const CALLER_BYTES_MAX: usize = 200;

/// "host:pid": a worker.
pub(crate) fn worker() -> String {
    format!("{}:{}", host(), process::id())
}

/// "user@host/pid", or "host/pid" if the process does not know its user: a caller, in printable
/// ASCII.
pub(crate) fn caller() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"].map(|name| env::var(name).ok());
    let user = user.into_iter().flatten().find(|user| !user.is_empty());
    let place = user.map_or_else(host, |user| format!("{user}@{}", host()));
    fit(&format!("{place}/{}", process::id()))
}

/// A text as it can stand in a header: other characters become "?", what is too long is cut.
fn fit(text: &str) -> String {
    let fitting = text
        .chars()
        .map(|c| if matches!(c, ' '..='~') { c } else { '?' });
    fitting.take(CALLER_BYTES_MAX).collect()
}

fn host() -> String {
    let host = env::var("HOSTNAME").ok().filter(|host| !host.is_empty());
    let host = host.or_else(|| fs::read_to_string("/etc/hostname").ok());
    host.as_deref().map_or("localhost", str::trim).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_names_itself() {
        let pid = process::id();
        assert!(worker().ends_with(&format!(":{pid}")));
        assert!(caller().ends_with(&format!("/{pid}")));
        assert_eq!(fit("zo\u{eb}\n@h"), "zo??@h");
        assert_eq!(fit(&"x".repeat(300)).len(), CALLER_BYTES_MAX);
    }
}
