"""The public modules of Seedbank: what code outside of this project imports.

`stages` declares stages of your own, `knowledge_base` opens a home and searches it, `dagster` and `postgres` have the parts for
other Dagster projects, `errors` has what these raise, and `definitions` is what Dagster loads. All other modules may change in
any release.

An installed Seedbank has its other packages below this one (`seedbank.resources`, ...), since their own names would be too
general for a user's `site-packages`. In the repository they are at the top. The names here are the same in both.
"""
