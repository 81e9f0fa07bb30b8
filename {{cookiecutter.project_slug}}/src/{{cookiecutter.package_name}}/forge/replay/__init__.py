"""A forge in a folder: it runs the workflows of this project as GitHub would, without GitHub.

A bare git remote over HTTP, the few REST calls that the workflows make, artifacts, caches, pull
requests and comments as files, and `act` for what a workflow file says. Left out, because nothing
here can stand in for it: reviewers of an environment, rules of a branch, machines other than this.
"""
