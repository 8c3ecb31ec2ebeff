//! Addresses: which are protected, what a redirect means, what of them may be shown.

/// True if requests to this address are protected, or stay on this machine.
pub(crate) fn is_safe_url(url: &str) -> bool {
    match split(url) {
        Some((scheme, authority, _)) if scheme.eq_ignore_ascii_case("http") => {
            is_loopback(host_of(authority))
        }
        Some((scheme, authority, _)) => {
            scheme.eq_ignore_ascii_case("https") && !authority.is_empty()
        }
        None => false,
    }
}

/// True for an https address.
pub(crate) fn is_https(url: &str) -> bool {
    split(url).is_some_and(|(scheme, ..)| scheme.eq_ignore_ascii_case("https"))
}

/// True for names and addresses that never leave this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Scheme, authority, and what follows, if the text is an address.
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let valid = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(valid) {
        return None;
    }
    // A backslash separates like a slash for some programs: no authority holds one.
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    Some((scheme, authority, path))
}

/// User and password of `user:password@host`, if there are any.
pub(crate) fn credentials(url: &str) -> Option<&str> {
    let (_, authority, _) = split(url)?;
    authority.rsplit_once('@').map(|(credentials, _)| credentials)
}

/// True if both addresses are of one server.
pub(crate) fn same_server(a: &str, b: &str) -> bool {
    let server = |url| split(url).map(|(scheme, authority, _)| (scheme, authority));
    server(a) == server(b)
}

/// The host of an authority, without brackets around an IPv6 address.
fn host_of(authority: &str) -> &str {
    let host = authority.rsplit('@').next().unwrap_or_default();
    let v6 = host.strip_prefix('[').and_then(|v6| v6.split(']').next());
    v6.unwrap_or_else(|| host.split(':').next().unwrap_or_default())
}

/// What `location` means as a link of the page `base`; `None` if it is no address.
pub(crate) fn join(base: &str, location: &str) -> Option<String> {
    let location = location.split('#').next()?.trim();
    if location.is_empty() || location.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    if split(location).is_some() {
        return Some(location.to_owned());
    }
    let (scheme, authority, path) = split(base)?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Some(if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.starts_with('?') {
        format!("{scheme}://{authority}{path}{location}")
    } else {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    })
}

/// The address without what may be secret: user, password, query.
pub(crate) fn shown(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = url.get(..end).unwrap_or_default();
    match split(url) {
        Some((scheme, authority, path)) => {
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// The text with user and password taken out of each address in it.
pub(crate) fn without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>');
        let (authority, tail) = after.split_at(after.find(ends).unwrap_or(after.len()));
        clean.push_str(authority.rsplit('@').next().unwrap_or_default());
        rest = tail;
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for (url, safe) in [
            ("https://h/x", true),
            ("HTTPS://h/x", true),
            ("http://localhost/x", true),
            ("http://LOCALHOST:8080", true),
            ("http://127.0.0.1:1/x", true),
            ("http://[::1]:1/x", true),
            ("http://h/x", false),
            ("http://localhost.h/x", false),
            ("http://localhost:80@h/x", false),
            ("http://localhost@h", false),
            ("http://h\\@localhost/x", false),
            ("http://127.0.0.1.h/x", false),
            ("https:///x", false),
            ("ftp://localhost/x", false),
            ("file:///etc/passwd", false),
            ("localhost/x", false),
        ] {
            assert_eq!(is_safe_url(url), safe, "{url}");
        }
    }

    #[test]
    fn links_are_joined_as_browsers_do() {
        let base = "https://h:1/a/b?q=1#f";
        for (location, joined) in [
            ("https://other/x?y#z", Some("https://other/x?y")),
            ("//other/x", Some("https://other/x")),
            ("/x", Some("https://h:1/x")),
            ("x/y", Some("https://h:1/a/x/y")),
            ("?q=2", Some("https://h:1/a/b?q=2")),
            (" /x ", Some("https://h:1/x")),
            ("", None),
            ("#f", None),
            ("/a b", None),
            ("/a\u{7}b", None),
        ] {
            assert_eq!(join(base, location).as_deref(), joined, "{location:?}");
        }
        assert_eq!(join("https://h", "x").as_deref(), Some("https://h/x"));
        assert_eq!(join("nonsense", "/x"), None);
    }

    #[test]
    fn secrets_are_not_shown() {
        for (url, visible) in [
            ("https://me:pw@h/x?sig=1#f", "https://h/x"),
            ("https://h/x", "https://h/x"),
            ("nonsense?x", "nonsense"),
        ] {
            assert_eq!(shown(url), visible);
        }
        assert_eq!(credentials("https://me:pw@h/x@y"), Some("me:pw"));
        assert_eq!(credentials("https://h/x@y"), None);
        assert_eq!(
            without_credentials("see https://me:p@w@h/x, \"http://u@i\" and https://j/k@l"),
            "see https://h/x, \"http://i\" and https://j/k@l"
        );
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic_and_keep_no_credentials(a in "\\PC*", b in "\\PC*") {
            let _ = (is_safe_url(&a), same_server(&a, &b), join(&a, &b));
            prop_assert!(credentials(&shown(&a)).is_none());
            let clean = without_credentials(&format!("{a}https://me:t0psecret@{b}"));
            prop_assert!(!clean.contains("t0psecret"), "{}", clean);
        }
    }
}
