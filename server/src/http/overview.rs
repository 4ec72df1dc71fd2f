//! What the Overview shows, taken from the board; nothing here waits for a box.

use std::time::Instant;

use app::{
    model::{Order, OverviewPage, Page, Size, Tab, TileView},
    tile,
};
use axum::{
    extract::{Request, State},
    response::Response,
};

use super::{Shared, render};
use crate::{api::Ask, auth::Caller, board::by_name};

/// A page has so many tiles: beyond, a search finds the rest.
const MAX_TILES: usize = 500;
/// Up to so many boxes have tiles of full size, unless somebody asks for other ones.
const FEW: usize = 40;

/// The Overview.
pub(super) async fn overview(State(app): State<Shared>, caller: Caller, ask: Ask, request: Request) -> Response {
    let frame = render::frame(Tab::Overview, Some(&caller), request.headers(), request.uri());
    let search = ask.get("match").unwrap_or_default().to_owned();
    let order = if ask.get("sort") == Some("name") { Order::Name } else { Order::Problems };
    let now = Instant::now();
    let mut tiles: Vec<TileView> = Vec::new();
    for entry in app.desk.board.all() {
        let mut of_box = entry.lock();
        let (view, numbers) = (of_box.view(now), of_box.chosen_numbers());
        drop(of_box);
        let found = tile::finds(&search, &tile::words(&view), view.state);
        tiles.push(TileView { view, numbers, found });
    }
    let usual_size = if tiles.len() > FEW { Size::Lines } else { Size::Tiles };
    let size = ask.get("size").and_then(Size::parse).unwrap_or(usual_size);
    let (left_out, whole) = bound(&mut tiles, order);
    let page = OverviewPage { tiles, search, order, size, usual_size, left_out, whole };
    render::page(&app, frame, Page::Overview(page), request).await
}

/// Puts the tiles in their order. Of very many those stay that were found, as many as a page has. Answers how many of these are left out,
/// and whether all tiles are there still.
fn bound(tiles: &mut Vec<TileView>, order: Order) -> (usize, bool) {
    match order {
        Order::Problems => tiles.sort_by_key(|one| (tile::rank(one.view.state, one.view.notice.is_some()), one.view.id)),
        Order::Name => tiles.sort_by(|one, other| by_name(&one.view.name, &other.view.name)),
    }
    if tiles.len() <= MAX_TILES {
        return (0, true);
    }
    tiles.retain(|one| one.found);
    let left_out = tiles.len().saturating_sub(MAX_TILES);
    tiles.truncate(MAX_TILES);
    (left_out, false)
}
