//! Which names boxes, accounts and tokens may have. Pure; forms, the API, the command line and the file all ask here.

/// The longest name, in bytes.
pub const MAX_NAME_LEN: usize = 64;
/// Names of boxes that URLs need for themselves.
const RESERVED: [&str; 1] = ["probe"];
/// The name of the built-in box.
pub const BUILTIN_BOX: &str = "tickmark";

/// Whether a box may have this name: `[A-Za-z][A-Za-z0-9_.-]*`, and neither `probe` nor `tickmark`.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn check_box_name(name: &str) -> Result<(), String> {
    if RESERVED.contains(&name) {
        return Err(format!("a box cannot be called {name:?}: the word is part of the panel's addresses"));
    }
    if name == BUILTIN_BOX {
        return Err(format!("a box cannot be called {name:?}: that is the built-in box"));
    }
    let letter_first = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if letter_first && is_plain(name, "_.-") {
        return Ok(());
    }
    Err(format!("{} is no name for a box: a letter first, then letters, digits, _ . or -, at most {MAX_NAME_LEN}", quoted(name)))
}

/// Whether an account may have this name: letters, digits, `_`, `.`, `-` and `@`.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn check_account_name(name: &str) -> Result<(), String> {
    if is_plain(name, "_.-@") {
        return Ok(());
    }
    Err(format!("{} is no user name: letters, digits, _ . - and @ are allowed, at most {MAX_NAME_LEN}", quoted(name)))
}

/// Whether a token may have this name: letters, digits, `_`, `.` and `-`.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn check_token_name(name: &str) -> Result<(), String> {
    if is_plain(name, "_.-") {
        return Ok(());
    }
    Err(format!("{} is no name for a token: letters, digits, _ . and - are allowed, at most {MAX_NAME_LEN}", quoted(name)))
}

/// Whether a script may have this name: `[A-Za-z][A-Za-z0-9_.-]*`.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn check_script_name(name: &str) -> Result<(), String> {
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) && is_plain(name, "_.-") {
        return Ok(());
    }
    Err(format!("{} is no name for a script: a letter first, then letters, digits, _ . or -, at most {MAX_NAME_LEN}", quoted(name)))
}

/// The known word that was most likely meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this likeness, of 1, a suggestion would be a guess.
    const ALIKE: f64 = 0.7;
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

fn is_plain(name: &str, signs: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_LEN && name.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c))
}

/// A name in quotes, cut where a message would drown in it.
fn quoted(name: &str) -> String {
    if name.len() <= MAX_NAME_LEN {
        return format!("{name:?}");
    }
    format!("{:?}", name.chars().take(16).chain(['…']).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_boxes() {
        let long = "x".repeat(MAX_NAME_LEN);
        for good in ["a", "sip1", "Sip-1.example_org", "probes", &long] {
            assert_eq!(check_box_name(good), Ok(()), "{good}");
        }
        let too_long = "x".repeat(MAX_NAME_LEN + 1);
        for bad in ["", "1sip", "_x", "a b", "ä", "a/b", "a:b", "probe", "tickmark", &too_long] {
            let error = check_box_name(bad).unwrap_err();
            assert!(error.contains("name for a box") || error.contains("cannot be called"), "{error}");
        }
    }

    #[test]
    fn names_of_people_and_tokens() {
        assert_eq!(check_account_name("anna@example.org"), Ok(()));
        assert!(check_account_name("anna smith").is_err());
        assert_eq!(check_token_name("grafana-1"), Ok(()));
        assert!(check_token_name("a@b").is_err());
        assert!(check_token_name("").is_err());
    }

    #[test]
    fn a_near_word_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("lissten", ["listen", "log", "interval"]), Some("listen"));
        assert_eq!(nearest("zebra", ["listen", "log", "interval"]), None);
    }
}
