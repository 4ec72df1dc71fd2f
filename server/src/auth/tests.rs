use super::{caller::bearer, *};

fn headers(authorization: &str) -> HeaderMap {
    [(header::AUTHORIZATION, authorization.parse().unwrap())].into_iter().collect()
}

#[test]
fn only_bearer_is_ours() {
    assert_eq!(bearer(&headers("Bearer tmk_x")), Some("tmk_x"));
    assert_eq!(bearer(&headers("bearer  tmk_x ")), Some("tmk_x"));
    assert_eq!(bearer(&headers("Basic dTpw")), None);
    assert_eq!(bearer(&HeaderMap::new()), None);
}

#[test]
fn the_link_can_be_opened() {
    let link = |listen: &str| setup_link(("http", listen.parse().unwrap()), &Secret("x".to_owned()));
    assert_eq!(link("127.0.0.1:8888"), "http://127.0.0.1:8888/cp/setup?token=x");
    assert_eq!(link("0.0.0.0:80"), "http://localhost:80/cp/setup?token=x");
    assert_eq!(link("[::1]:8888"), "http://[::1]:8888/cp/setup?token=x");
}

#[test]
fn login_errors_as_tools_see_them() {
    let wait = Problem::from(LoginError::Wait(Duration::from_millis(1001)));
    assert_eq!((wait.status, wait.detail.as_str()), (429, "Too many wrong passwords came from this address. Try again in 2 s."));
    assert_eq!(Problem::from(LoginError::Wrong).status, 401);
    let busy = LoginError::Failed(PasswordError::Busy.into());
    assert_eq!(Problem::from(busy).status, 503);
}
