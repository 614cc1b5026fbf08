"""The stage benchmark: does a photo fit the budget here, and where does its time go?"""
