//! The known name that an unknown one was probably meant to be.

/// Longer names are not compared; the cost grows with the square of the length.
const CHARS_MAX: usize = 64;

/// The name with the fewest edits, if they are few for its length.
pub(super) fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wrong: Vec<char> = wrong.chars().take(CHARS_MAX + 1).collect();
    if wrong.len() > CHARS_MAX {
        return None;
    }
    let allowed = (wrong.len() / 3).clamp(1, 3);
    names
        .filter(|name| name.len() <= CHARS_MAX * 4)
        .filter_map(|name| {
            let right: Vec<char> = name.chars().collect();
            if right.len().abs_diff(wrong.len()) > allowed {
                return None;
            }
            let distance = distance(&wrong, &right);
            (distance <= allowed && distance < right.len()).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, a) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, b) in to.iter().enumerate() {
            let replaced = last[column] + usize::from(a != b);
            let mut best = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            let is_swap = row > 0 && column > 0 && from[row - 1] == *b && to[column - 1] == *a;
            if is_swap {
                best = best.min(before[column - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_recognised() {
        let names = ["publish", "on-success", "on-error", "action"];
        for (wrong, right) in [
            ("pubish", Some("publish")),
            ("on-sucess", Some("on-success")),
            ("acton", Some("action")),
            ("aciton", Some("action")),
            ("on_error", Some("on-error")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, names.into_iter()), right, "{wrong}");
        }
    }
}
