//! `autan cluster`: the servers that share the database.

use std::fmt::Write as _;

use autan::Cluster;

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::human::{Paint, moment};
use super::output::Output;
use super::table::{Cell, Table};

pub(super) async fn run(globals: &Globals, output: &Output) -> Result<Exit, Error> {
    let cluster = globals.connect().await?.cluster().await?;
    output.one(&cluster, |cluster| describe(cluster, output.paint()))?;
    Ok(Exit::Success)
}

fn describe(cluster: &Cluster, paint: Paint) -> String {
    let mut table = Table::new([
        "SERVER", "STATE", "ADDRESS", "VERSION", "SHARDS", "SINCE", "",
    ]);
    for server in &cluster.servers {
        let mut notes = Vec::new();
        if server.hands_out_work {
            notes.push("hands out work");
        }
        if server.answers {
            notes.push("answers");
        }
        table.row([
            server.server_id.as_str().into(),
            Cell::state(&server.state),
            server.address.as_str().into(),
            server.version.as_str().into(),
            Cell::number(&server.shards),
            server.start_time.map(moment).unwrap_or_default().into(),
            notes.join(", ").into(),
        ]);
    }
    let mut text = table.render(paint);
    if cluster.free_shards > 0 {
        let (free, all) = (cluster.free_shards, cluster.shards);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{free} of {all} shards are free for a moment");
    }
    text
}
