//! Tabs: PyYAML accepts them within quoted texts, block texts and comments and nowhere else. The
//! parser takes them for blanks, so they are looked for afterwards.

use super::reader::{Fault, syntax};
use crate::position::{Position, Span};

/// Refuses the first tab that is not within one of the given texts, or in a comment.
pub(super) fn refuse(source: &str, texts: &[Span]) -> Result<(), Fault> {
    if !source.contains('\t') {
        return Ok(());
    }
    let mut texts = texts.iter().peekable();
    for (number, line) in (1..).zip(source.split('\n')) {
        let mut is_indent = true;
        let mut before = ' ';
        let mut is_comment = false;
        for (column, character) in (1..).zip(line.chars()) {
            let at = Position {
                line: number,
                column,
            };
            while texts.next_if(|text| text.end <= at).is_some() {}
            if texts.peek().is_some_and(|text| text.start <= at) {
                (is_indent, before) = (false, character);
                continue;
            }
            is_comment |= character == '#' && matches!(before, ' ' | '\t');
            if is_comment {
                break;
            }
            if character == '\t' {
                return Err(fault(at, is_indent));
            }
            is_indent &= character == ' ';
            before = character;
        }
    }
    Ok(())
}

fn fault(at: Position, is_indent: bool) -> Fault {
    let help = if is_indent {
        "YAML is indented with spaces, not with tabs"
    } else {
        "replace the tab by spaces, or quote the text it belongs to"
    };
    Fault {
        help: Some(help.to_owned()),
        ..syntax(Span::at(at), "a tab cannot stand here".to_owned())
    }
}
