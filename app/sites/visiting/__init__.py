"""The visitors' side of sites: which site a host means, its published pages, conversations, forms.
Mounted by app/public.py.
Nothing here knows a signed-in person: a visitor is a random id in a cookie of the site's own host.
"""
