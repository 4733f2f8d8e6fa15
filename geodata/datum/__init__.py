"""Coordinates: conversion between datums (``convert``), and which datum a table is in (``evidence``)."""
